/** The time of the statement on the server's clock, in whole microseconds since 1970; the same wherever it stands in a statement. */
const NOW = "round(date_part('epoch', statement_timestamp()) * 1e6)";

/** Puts values in place of the names in braces in a template of SQL. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.trimEnd().replace(/\{([a-z_]+)\}/g, (_, name: string) => {
    const value = name === "now" ? NOW : values[name];
    if (value === undefined) throw new Error(`A template of SQL asks for {${name}}, which nobody gave.`);
    return value;
  });
}
