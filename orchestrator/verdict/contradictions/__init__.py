"""Where two sources cannot both be right. Pure rules: typed data in, cited contradictions out."""
