import { type Limiter, rateLimited } from "@sluice/core";
import { expectTypeOf } from "vitest";

/** Held to by the type check alone; nothing in here runs. */
export function methods(sync: Limiter<"sync">, limiter: Limiter<"async">): unknown {
  class Service {
    tenant = "acme";

    @rateLimited(sync)
    add(a: number, b: number): number {
      return a + b;
    }

    @rateLimited(limiter, { key: (user: string) => user, weight: (_user: string, pages: number) => pages })
    async print(user: string, pages: number, _duplex?: boolean): Promise<string> {
      return `${user}: ${pages}`;
    }

    @rateLimited(sync, {
      key(this: Service) {
        return this.tenant;
      },
      onLimited: "skip",
    })
    find(): string | undefined {
      return this.tenant;
    }

    @rateLimited(sync, { onLimited: "wait" })
    async later(): Promise<void> {}

    // @ts-expect-error a sync method under an async limiter
    @rateLimited(limiter)
    now(): number {
      return 1;
    }

    // @ts-expect-error a sync method that is to wait
    @rateLimited(sync, { onLimited: "wait" })
    wait(): number {
      return 1;
    }

    // @ts-expect-error a call that may be skipped gives undefined, and the type has no room for it
    @rateLimited(sync, { onLimited: "skip" })
    skip(): number {
      return 1;
    }

    // @ts-expect-error a key that asks for an argument that the method does not take
    @rateLimited(sync, { key: (user: string) => user })
    numbers(_n: number): void {}

    // @ts-expect-error a key that is no string
    @rateLimited(sync, { key: (n: number) => n })
    other(_n: number): void {}
  }
  expectTypeOf<Parameters<Service["print"]>>().toEqualTypeOf<
    [user: string, pages: number, _duplex?: boolean | undefined]
  >();
  expectTypeOf<ReturnType<Service["print"]>>().toEqualTypeOf<Promise<string>>();
  return Service;
}
