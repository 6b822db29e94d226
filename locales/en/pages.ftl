level-1 = x
