"""Services of the public captures, beside what other tools say of them."""
