SELECT {log_drop}($1, $2, $3)
