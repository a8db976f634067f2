COMMENT ON TABLE {cells} IS 'Sluice {version}: the cells of rate limiters';
