SELECT to_regclass($1) IS NOT NULL, substring(obj_description(to_regclass($1), 'pg_class') FROM '^Sluice (\d+)')
