SELECT * FROM {log}($1::bytea[], $2::boolean[], $3::text[], {limits}, {intervals})
