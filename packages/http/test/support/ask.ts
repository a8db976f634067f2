/** The statuses of requests made one after another. */
export async function statuses(url: string, count: number, init?: RequestInit): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 0; i < count; i++) {
    const response = await fetch(url, init);
    await response.arrayBuffer();
    seen.push(response.status);
  }
  return seen;
}

/** The three fields of an answer that tell limits. */
export function limitsIn({ headers }: Response): (string | null)[] {
  return ["ratelimit-policy", "ratelimit", "retry-after"].map((name) => headers.get(name));
}
