// `nearby` with Fastify and better-sqlite3: node server.js DB PORT WORKERS
import cluster from "node:cluster";
import { createDecipheriv, createHash, createHmac } from "node:crypto";
import Database from "better-sqlite3";
import Fastify from "fastify";

const [path, port, workers] = process.argv.slice(2);

/** The second half of what HKDF makes of the file's key encrypts private cookies. */
function encryptionKey(db) {
  const { value } = db.prepare("SELECT value FROM meta WHERE key = 'cookie_key'").get();
  const material = Buffer.from(value, "hex");
  const info = Buffer.from("COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM");
  const part = (before, n) =>
    createHmac("sha256", material).update(before).update(info).update(Buffer.of(n)).digest();
  return part(part(Buffer.alloc(0), 1), 2);
}

/** The SHA-256 of the token in the request's private cookie, or null. */
function tokenHash(key, header) {
  const sealed = /(?:^|;\s*)bottle_session=([^;]*)/.exec(header ?? "")?.[1];
  if (!sealed) return null;
  const bytes = Buffer.from(decodeURIComponent(sealed), "base64");
  const opening = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  opening.setAAD(Buffer.from("bottle_session"));
  opening.setAuthTag(bytes.subarray(-16));
  try {
    const token = Buffer.concat([opening.update(bytes.subarray(12, -16)), opening.final()]);
    return createHash("sha256").update(token).digest();
  } catch {
    return null;
  }
}

const number = { type: "number" };
const pair = { type: "object", properties: { latitude: number, longitude: number } };
const bottle = {
  type: "object",
  properties: {
    bottle_id: { type: "integer" },
    style: { type: "integer" },
    is_owner: { type: "boolean" },
    location: {
      type: "object",
      properties: { formatted_address: { type: "string" }, ...pair.properties },
    },
  },
};
const data = {
  type: "object",
  properties: {
    center: pair,
    span: pair,
    bottles: { type: "array", items: bottle },
    total: { type: "integer" },
    truncated: { type: "boolean" },
    next: { type: "integer", nullable: true },
  },
};
// With a schema, Fastify serializes JSON by a function compiled for this shape.
const schema = {
  querystring: {
    type: "object",
    required: ["latitude", "longitude", "latitude_span", "longitude_span"],
    properties: { ...pair.properties, latitude_span: number, longitude_span: number },
  },
  response: {
    200: {
      type: "object",
      properties: { status: { type: "string" }, msg: { type: "string" }, data },
    },
  },
};

function serve() {
  const db = new Database(path, { readonly: true });
  db.pragma(`mmap_size = ${2 ** 36}`);
  const session = db
    .prepare(
      `SELECT user_id FROM sessions
       WHERE token_hash = ? AND contract = 'bottle' AND expires_at > ?`,
    )
    .pluck();
  const inside = db
    .prepare(
      `SELECT bottles.id, owner_id, style, latitude, longitude, formatted_address
       FROM bottles_rtree CROSS JOIN bottles ON bottles.id = bottles_rtree.id
       WHERE max_latitude >= ?1 AND min_latitude <= ?2
         AND max_longitude >= ?3 AND min_longitude <= ?4
         AND latitude BETWEEN ?1 AND ?2 AND longitude BETWEEN ?3 AND ?4
       LIMIT 10000`,
    )
    .raw();
  const key = encryptionKey(db);

  const app = Fastify();
  app.get("/api/bottles/nearby", { schema }, (request, reply) => {
    const hash = tokenHash(key, request.headers.cookie);
    const viewer = hash && session.get(hash, Date.now());
    if (!viewer) return reply.code(401).send();
    const { latitude, longitude, latitude_span, longitude_span } = request.query;
    const bounds = {
      1: latitude - latitude_span,
      2: latitude + latitude_span,
      3: longitude - longitude_span,
      4: longitude + longitude_span,
    };
    const bottles = inside
      .all(bounds)
      .sort((a, b) => a[0] - b[0])
      .map(([bottle_id, owner, style, latitude, longitude, formatted_address]) => ({
        bottle_id,
        style,
        is_owner: owner === viewer,
        location: { formatted_address, latitude, longitude },
      }));
    const center = { latitude, longitude };
    const span = { latitude: latitude_span, longitude: longitude_span };
    const data = { center, span, bottles, total: bottles.length, truncated: false, next: null };
    reply.send({ status: "OK", msg: "查询附近的漂流瓶成功", data });
  });
  app.listen({ host: "127.0.0.1", port: Number(port) });
}

if (cluster.isPrimary) {
  for (let n = 0; n < Number(workers); n++) cluster.fork();
  process.on("SIGTERM", () => process.exit());
} else {
  serve();
}
