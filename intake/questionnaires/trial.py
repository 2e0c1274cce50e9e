def try_out(q, findings): pass
