"""Pure: what a telephone call is, whatever carries it. Numbers as callers write them and as trunks want them."""
