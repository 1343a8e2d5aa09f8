"""The native tier: the explorer's generated text as machine code, for searches of more states than Python is made for."""
