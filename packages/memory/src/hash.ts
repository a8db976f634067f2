/** How many characters of a key are hashed: enough to tell keys apart, few enough for keys of a megabyte. */
const REACH = 24;

/** A number from 0 to `count - 1` that spreads keys evenly; not for telling keys apart. */
export function spread(key: string, count: number): number {
  let hash = key.length;
  for (let i = Math.max(0, key.length - REACH); i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash >>> 16) % count;
}
