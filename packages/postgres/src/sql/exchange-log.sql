SELECT {log_exchange}($1::bytea, $2::float8[], $3::float8[], $4::float8[], $5::float8[])
