SELECT x.key, {instant}, {fresh}, x.units, $4::float8, NULL::float8[] FROM unnest($2::bytea[], $3::float8[]) AS x (key, units)
