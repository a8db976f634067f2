VALUES ($2::bytea, {instant}, {fresh}, $3::float8, $4::float8, NULL::float8[])
