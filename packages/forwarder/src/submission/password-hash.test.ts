import assert from "node:assert/strict";
import { test } from "node:test";
import { hashPassword, parsePasswordHash, verifyPassword } from "./password-hash.ts";

const SALT = Buffer.from("0123456789abcdef");
/** Python: hashlib.scrypt(b"secret", salt=b"0123456789abcdef", n=2**14, r=8, p=5, dklen=32, maxmem=2**26) */
const OF_PYTHON = "$scrypt$ln=14,r=8,p=5$MDEyMzQ1Njc4OWFiY2RlZg$xvrTWnH9T4xvgBx60grtAbRtr+Go5GS9qYITjE1Gpk0";

test("a password is right for its own hash alone", async () => {
  const text = await hashPassword("süß & secret", SALT);
  assert.match(text, /^\$scrypt\$ln=15,r=8,p=3\$MDEyMzQ1Njc4OWFiY2RlZg\$[A-Za-z0-9+/]{43}$/);
  const parsed = parsePasswordHash(text);
  assert.ok(parsed.ok);
  assert.equal(await verifyPassword("süß & secret", parsed.hash), true);
  for (const wrong of ["", "süß & secret ", "SÜß & secret"])
    assert.equal(await verifyPassword(wrong, parsed.hash), false, wrong);
});

test("the hash is scrypt's, as Python makes it", async () => {
  const parsed = parsePasswordHash(OF_PYTHON);
  assert.ok(parsed.ok);
  assert.equal(await verifyPassword("secret", parsed.hash), true);
});

test("a salt is long enough, or none is taken", async () => {
  await assert.rejects(hashPassword("secret", Buffer.alloc(15)), RangeError);
});

const salt = "MDEyMzQ1Njc4OWFiY2RlZg";
const hash = "A".repeat(43);
const refused: [text: string, message: RegExp][] = [
  ["", /form/],
  ["secret", /form/],
  [`$scrypt$ln=15,r=8,p=3$${salt}`, /form/],
  [`$argon2id$v=19$m=1,t=1,p=1$${salt}$${hash}`, /form/],
  [`$scrypt$ln=15,r=8,p=3$${salt}$${hash}=`, /form/],
  [`$scrypt$ln=15,r=8,p=3$${salt}$${hash}\n`, /form/],
  [`$scrypt$ln=15,r=8,p=3$${salt}$${hash.slice(1)}B`, /base64/],
  [`$scrypt$ln=015,r=8,p=3$${salt}$${hash}`, /form/],
  [`$scrypt$ln=14,r=8,p=1$${salt}$${hash}`, /weak/],
  [`$scrypt$ln=1,r=8,p=999$${salt}$${hash}`, /weak/],
  [`$scrypt$ln=15,r=0,p=3$${salt}$${hash}`, /weak/],
  [`$scrypt$ln=18,r=8,p=1$${salt}$${hash}`, /128 MiB/],
  [`$scrypt$ln=99,r=8,p=1$${salt}$${hash}`, /128 MiB/],
  [`$scrypt$ln=17,r=8,p=9$${salt}$${hash}`, /too long/],
  [`$scrypt$ln=15,r=8,p=3$c2FsdA$${hash}`, /salt of 4 octets/],
  [`$scrypt$ln=15,r=8,p=3$${salt}$AAAA`, /has 3 octets/],
];
for (const [text, message] of refused) {
  test(`a hash ${JSON.stringify(text).slice(0, 60)} is refused: ${message.source}`, () => {
    const parsed = parsePasswordHash(text);
    assert.ok(!parsed.ok);
    assert.match(parsed.message, message);
  });
}
