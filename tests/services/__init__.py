"""Services of the public captures, beside what other tools say of them, and what must not be told of them."""
