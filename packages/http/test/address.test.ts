import {
  byAddress,
  byHeader,
  clientAddress,
  field,
  type HttpRequest,
  RateLimiter,
  type TrustedHosts,
} from "@sluice/http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

const PROXY = "10.0.0.1";
const CLIENT = "203.0.113.7";

/** A request of a peer, with one field of its proxies. */
function from(remoteAddress: string | undefined, value?: string, name = "x-forwarded-for"): HttpRequest {
  const socket = remoteAddress === undefined ? {} : { remoteAddress };
  return { headers: value === undefined ? {} : { [name]: value }, socket };
}

/** The client of a request whose peer is the proxy. */
function through(trustedHosts: TrustedHosts, chain: string): string {
  return clientAddress({ trustedHosts })(from(PROXY, chain));
}

/** The same by RFC 7239. */
function forwarded(trustedHosts: TrustedHosts, chain: string): string {
  return clientAddress({ trustedHosts, addressField: "forwarded" })(from(PROXY, chain, "forwarded"));
}

describe("clientAddress()", () => {
  test("trusts nobody by default: the peer is the client", () => {
    expect(clientAddress({ warn: () => {} })(from(PROXY, CLIENT))).toBe(PROXY);
    expect(clientAddress({ trustedHosts: [] })(from(PROXY, CLIENT))).toBe(PROXY);
    expect(clientAddress({ trustedHosts: 0 })(from(PROXY, CLIENT))).toBe(PROXY);
  });

  test("field() reads a header field by its name in any case", () => {
    expect(field({ headers: { "x-api-key": "ada" } }, "X-API-Key")).toBe("ada");
    expect(field({ headers: new Headers({ "x-api-key": "ada" }) }, "X-API-Key")).toBe("ada");
  });

  test("warns once where clients come through a proxy that nobody named", () => {
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const addressOf = clientAddress({ warn });
    for (const request of [from(PROXY), from(CLIENT, "1.1.1.1"), from(undefined, "1.1.1.1")]) addressOf(request);
    expect(warnings).toEqual([]);
    for (let time = 0; time < 3; time++) expect(addressOf(from(PROXY, CLIENT))).toBe(PROXY);
    expect(addressOf(from("::1", `for=${CLIENT}`, "forwarded"))).toBe("::1");
    expect(warnings).toEqual([
      expect.stringMatching(/from 10\.0\.0\.1, most likely a proxy.*trustedHosts: \["10\.0\.0\.1"\]/),
    ]);
    for (const peer of ["127.0.0.1", "::ffff:192.168.0.1", "fd00::1"]) {
      warnings.length = 0;
      const limiter = new RateLimiter({ warn });
      limiter.check(from(peer, `for=${CLIENT}`, "forwarded"));
      limiter.check(from(peer, CLIENT));
      expect(warnings).toHaveLength(1);
    }
    warnings.length = 0;
    for (const trustedHosts of [[], 0, ["192.0.2.1"], 1]) {
      clientAddress({ trustedHosts, warn })(from(PROXY, CLIENT));
    }
    expect(warnings).toEqual([]);
  });

  test("takes the word of trusted proxies, by address, range and name", () => {
    for (const host of [PROXY, "10.0.0.0/8", "uniquelocal", "::ffff:10.0.0.1"]) {
      expect(through([host], CLIENT)).toBe(CLIENT);
    }
    expect(through(["loopback", "linklocal", "192.0.2.0/24"], CLIENT)).toBe(PROXY);
  });

  test("a spoofed leftmost entry changes nothing", () => {
    for (const spoofed of ["1.1.1.1", "10.9.9.9", "10.0.0.1, 10.0.0.2", "garbage", "", '"', '"', "for="]) {
      expect(through(["10.0.0.0/8"], `${spoofed}, ${CLIENT}`)).toBe(CLIENT);
      expect(through(1, `${spoofed}, ${CLIENT}`)).toBe(CLIENT);
      expect(through((address) => address === PROXY, `${spoofed}, ${CLIENT}`)).toBe(CLIENT);
      expect(forwarded(["10.0.0.0/8"], `${spoofed}, for=${CLIENT}`)).toBe(CLIENT);
    }
  });

  test("an untrusted peer cannot speak for others, whatever it sends", () => {
    const addressOf = clientAddress({ trustedHosts: ["10.0.0.0/8"] });
    expect(addressOf(from(CLIENT, "10.0.0.1"))).toBe(CLIENT);
    expect(addressOf(from(CLIENT, "1.1.1.1, 10.0.0.1, 10.0.0.2"))).toBe(CLIENT);
  });

  test("goes on through proxies behind proxies, and stops at the first that is not trusted", () => {
    expect(through(["10.0.0.0/8"], `1.1.1.1, ${CLIENT}, 10.0.0.3, 10.0.0.2`)).toBe(CLIENT);
    expect(through(["10.0.0.0/8"], "10.0.0.3, 10.0.0.2")).toBe("10.0.0.3");
  });

  test("a number of proxies counts hops, whatever their addresses", () => {
    expect(through(1, `1.1.1.1, ${CLIENT}, 8.8.8.8`)).toBe("8.8.8.8");
    expect(through(2, `1.1.1.1, ${CLIENT}, 8.8.8.8`)).toBe(CLIENT);
    expect(through(9, CLIENT)).toBe(CLIENT);
  });

  test("a function is asked for each hop, with the canonical address, each time", () => {
    const asked: [string, number][] = [];
    let trusted = true;
    const addressOf = clientAddress({
      trustedHosts: (address, hop) => {
        asked.push([address, hop]);
        return trusted && hop < 2;
      },
    });
    const request = from("::ffff:10.0.0.1", `${CLIENT}, 2001:DB8:0::1%eth0`);
    expect(addressOf(request)).toBe(CLIENT);
    expect(asked).toEqual([
      ["10.0.0.1", 0],
      ["2001:db8::1", 1],
      [CLIENT, 2],
    ]);
    trusted = false;
    expect(addressOf(request)).toBe(PROXY);
  });

  test.each([
    "garbage",
    "unknown",
    "_hidden",
    "",
    "1.2.3",
    "010.0.0.1",
    "0x7f.1",
    "256.1.1.1",
    "[::1",
    "1.2.3.4:x",
    "unix:",
  ])("an entry %j that is no address leaves the nearest address that is", (entry) => {
    expect(through(9, `1.1.1.1, ${entry}`)).toBe(PROXY);
    expect(through(9, `1.1.1.1, ${entry}, ${CLIENT}`)).toBe(CLIENT);
  });

  test.each([
    ["203.0.113.7:443", CLIENT],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
    ["2001:0DB8:0:0::1", "2001:db8::1"],
    ["::ffff:203.0.113.7", CLIENT],
    ["::ffff:cb00:7107", CLIENT],
    ["  203.0.113.7\t", CLIENT],
    ["fe80::1%eth0", "fe80::1"],
  ])("reads %s as %s", (entry, address) => {
    expect(through(1, entry)).toBe(address);
  });

  test("several lines of the field are one list", () => {
    const request = { headers: { "x-forwarded-for": ["1.1.1.1", CLIENT] }, socket: { remoteAddress: PROXY } };
    expect(clientAddress({ trustedHosts: 1 })(request)).toBe(CLIENT);
    const headers = new Headers([
      ["X-Forwarded-For", "1.1.1.1"],
      ["X-Forwarded-For", CLIENT],
    ]);
    expect(clientAddress({ trustedHosts: 1 })({ headers, socket: { remoteAddress: PROXY } })).toBe(CLIENT);
  });

  test.each([
    [`for=${CLIENT}`, CLIENT],
    [`For="${CLIENT}:8080";proto=https;by=10.0.0.1`, CLIENT],
    [`proto=http ; for="[2001:db8:cafe::17]:4711"`, "2001:db8:cafe::17"],
    [`for="[2001:db8:cafe::17]:_port"`, "2001:db8:cafe::17"],
    [`for=192.0.2.1;host="a, for=1.1.1.1;\\", for=2.2.2.2"`, "192.0.2.1"],
    [`host="x;for=1.1.1.1;";for=${CLIENT}`, CLIENT],
    [`for=1.1.1.1, for=${CLIENT};proto=http`, CLIENT],
    [`for="1.1.1.1, for=${CLIENT}`, CLIENT],
    [`for="203.0.\\113.7"`, CLIENT],
  ])("Forwarded: %s", (chain, address) => {
    expect(forwarded(1, chain)).toBe(address);
  });

  test.each([
    "for=unknown",
    "for=_hidden",
    'for="_SEVKISEK"',
    "by=1.1.1.1",
    "for=1.1.1.1;for=2.2.2.2",
    "for",
    "for=;",
    '"',
    "",
  ])("Forwarded: %j names nobody", (element) => {
    expect(forwarded(9, `for=1.1.1.1, ${element}`)).toBe(PROXY);
  });

  test("only the one field that the proxies write is read", () => {
    const both = { "x-forwarded-for": "1.1.1.1", forwarded: "for=2.2.2.2" };
    const request = { headers: both, socket: { remoteAddress: PROXY } };
    expect(clientAddress({ trustedHosts: 1 })(request)).toBe("1.1.1.1");
    expect(clientAddress({ trustedHosts: 1, addressField: "forwarded" })(request)).toBe("2.2.2.2");
  });

  test("a peer without an address is unknown, and trusted by the name unix or a count", () => {
    expect(clientAddress()(from(undefined))).toBe("unknown");
    expect(clientAddress()({ headers: {} })).toBe("unknown");
    expect(clientAddress({ trustedHosts: ["loopback"] })(from(undefined, CLIENT))).toBe("unknown");
    expect(clientAddress({ trustedHosts: ["unix"] })(from(undefined, CLIENT))).toBe(CLIENT);
    expect(clientAddress({ trustedHosts: ["unix"] })(from(undefined, `${CLIENT}, unknown`))).toBe("unknown");
    expect(clientAddress({ trustedHosts: 1 })(from(undefined, CLIENT))).toBe(CLIENT);
  });

  test("whatever stands left of what the trusted proxy wrote, the answer is the same", () => {
    const scraps = fc.constantFrom('"', "\\", ",", ";", "for=", "10.0.0.1", "::1", "[", "]", " ", "\u0000", "é");
    const left = fc.oneof(
      fc.string(),
      fc.array(scraps).map((parts) => parts.join("")),
    );
    for (const trustedHosts of [1, ["10.0.0.0/8"]] satisfies TrustedHosts[]) {
      const plain = clientAddress({ trustedHosts });
      const byRfc7239 = clientAddress({ trustedHosts, addressField: "forwarded" });
      fc.assert(
        fc.property(left, (spoofed) => {
          expect(plain(from(PROXY, `${spoofed}, ${CLIENT}`))).toBe(CLIENT);
          expect(byRfc7239(from(PROXY, `${spoofed}, for=${CLIENT}`, "forwarded"))).toBe(CLIENT);
          expect(byRfc7239(from(PROXY, `${spoofed}, for="${CLIENT}:1";host="\\",\\\\"`, "forwarded"))).toBe(CLIENT);
        }),
      );
    }
  });

  test("no peer and no field makes it throw, and the answer is an address or unknown", () => {
    const addressOf = clientAddress({ trustedHosts: 3 });
    const canonical = clientAddress();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), fc.string(), (peer, chain) => {
        const address = addressOf(from(peer, chain));
        expect(canonical(from(address))).toBe(address);
      }),
    );
  });

  test("remembers for one peer what it found for that peer", () => {
    const addressOf = clientAddress({ trustedHosts: ["10.0.0.0/8"] });
    for (let round = 0; round < 2; round++) {
      expect(addressOf(from("10.0.0.1", "unknown"))).toBe("10.0.0.1");
      expect(addressOf(from("10.0.0.2", "unknown"))).toBe("10.0.0.2");
      expect(addressOf(from("10.0.0.2", CLIENT))).toBe(CLIENT);
      expect(addressOf(from("1.1.1.1", CLIENT))).toBe("1.1.1.1");
    }
  });

  test.each([
    [["10.0.0.0/40"], RangeError],
    [["10.0.0.0/0"], RangeError],
    [["1"], RangeError],
    [["proxy.example"], RangeError],
    [[7], TypeError],
    ["loopback", TypeError],
    [true, TypeError],
    [-1, RangeError],
    [1.5, RangeError],
  ])("trustedHosts %j is refused, and the message says what is not", (trustedHosts, kind) => {
    const build = () => clientAddress({ trustedHosts: trustedHosts as never });
    expect(build).toThrow(kind);
    expect(build).toThrow(/^Cannot trust .*: .*\. ?/);
  });

  test("an addressField of another name is refused", () => {
    expect(() => clientAddress({ addressField: "x-real-ip" as never })).toThrow(RangeError);
  });
});

describe("byAddress()", () => {
  test.each([
    ["2001:db8:1:2345:6789::1", "2001:db8:1:2300::/56"],
    ["2001:DB8:1:23ff::%eth0", "2001:db8:1:2300::/56"],
    ["2001:db8:1:2400::1", "2001:db8:1:2400::/56"],
    ["::ffff:203.0.113.7", CLIENT],
    ["::FFFF:CB00:7107", CLIENT],
    [CLIENT, CLIENT],
    [undefined, "unknown"],
    ["/tmp/socket", "unknown"],
  ])("%s has the key %s", (peer, key) => {
    const byDefault = byAddress();
    expect(byDefault(from(peer))).toBe(key);
    expect(byDefault(from(peer))).toBe(key);
  });

  test("the prefix is an option from 32 to 128", () => {
    const peer = from("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    expect(byAddress({ ipv6Prefix: 32 })(peer)).toBe("2001:db8::/32");
    expect(byAddress({ ipv6Prefix: 63 })(peer)).toBe("2001:db8:ffff:fffe::/63");
    expect(byAddress({ ipv6Prefix: 128 })(peer)).toBe("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    for (const ipv6Prefix of [31, 129, 48.5, Number.NaN]) expect(() => byAddress({ ipv6Prefix })).toThrow(RangeError);
  });

  test("two addresses share a key exactly where they share the prefix", () => {
    const bits = (address: string) => {
      const [head = "", tail] = address.split("::");
      const parts = head.split(":");
      const filled = tail === undefined ? parts : [...parts, ...Array(8).fill("0")].slice(0, 8);
      return filled.map((part) => Number.parseInt(part, 16).toString(2).padStart(16, "0")).join("");
    };
    const address = fc
      .array(fc.constantFrom(1, 2, 0x8000, 0xffff), { minLength: 8, maxLength: 8 })
      .map((parts) => parts.map((part) => part.toString(16)).join(":"));
    fc.assert(
      fc.property(address, address, fc.integer({ min: 32, max: 128 }), (one, other, ipv6Prefix) => {
        const key = byAddress({ ipv6Prefix });
        const same = bits(one).slice(0, ipv6Prefix) === bits(other).slice(0, ipv6Prefix);
        expect(key(from(one)) === key(from(other))).toBe(same);
      }),
    );
  });

  test("goes through trusted proxies as clientAddress does", () => {
    const key = byAddress({ trustedHosts: ["10.0.0.0/8"] });
    expect(key(from(PROXY, "2001:db8:1:2345::1"))).toBe("2001:db8:1:2300::/56");
    expect(key(from(PROXY, "unknown"))).toBe(PROXY);
  });
});

describe("byHeader()", () => {
  test("reads a field in any case; those without it share one key", () => {
    const key = byHeader("X-API-Key");
    expect(key({ headers: { "x-api-key": "ada" } })).toBe("ada");
    expect(key({ headers: new Headers({ "X-Api-Key": "ada" }) })).toBe("ada");
    expect(key({ headers: { "x-api-key": "" } })).toBeUndefined();
    expect(key({ headers: {} })).toBeUndefined();
  });

  test("values that are too long share that key, too", () => {
    const key = byHeader("x-api-key", { maxLength: 3 });
    expect(key({ headers: { "x-api-key": "ada" } })).toBe("ada");
    expect(key({ headers: { "x-api-key": "adam" } })).toBeUndefined();
  });

  test("a name that is none is refused", () => {
    expect(() => byHeader("")).toThrow(TypeError);
  });
});
