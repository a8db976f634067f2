SELECT x.key, {instant}, {fresh}, 0, 0, x.steps::float8[] FROM unnest($2::bytea[], $3::text[]) AS x (key, steps)
