"""The noise budget: false findings on benign captures, and labelled attacks found, over public captures."""
