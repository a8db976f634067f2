/** What is there at once, or by a promise. */
export type Soon<T> = T | Promise<T>;

/** Goes on with a value now, or as soon as it is there. */
export function whenThere<A, B>(value: Soon<A>, next: (value: A) => Soon<B>): Soon<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}
