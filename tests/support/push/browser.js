// SPDX-License-Identifier: MIT
// A browser that subscribed to Web Push, and the push service in front of it, as far as they check anything. Prints
// its subscription's keys as one line of JSON, then answers each line
//   {"headers":{…},"body":base64,"endpoint":URL,"vapid_key":…,"subject":…,"at":UNIX-SECONDS}
// with {"payload":text,"claims":{…}} or {"error":why}. Nothing in here is the server's: http_ece opens the message
// (RFC 8188, 8291), jose verifies the token (RFC 8292).
'use strict';

const crypto = require('node:crypto');
const readline = require('node:readline');
const ece = require('http_ece');
const jose = require('jose');

const DAY_S = 86400;

const ours = crypto.createECDH('prime256v1');
ours.generateKeys();
const auth = crypto.randomBytes(16);

function demand(holds, why) {
  if (!holds) throw new Error(why);
}

/** The header's value; HTTP does not tell upper from lower case in names. */
function header(message, name) {
  const found = Object.entries(message.headers).filter(([key]) => key.toLowerCase() === name.toLowerCase());
  demand(found.length === 1, `${found.length} headers ${name}`);
  return found[0][1];
}

/** A public key as VAPID writes it: an uncompressed point of P-256, base64url without padding. */
function publicKey(text) {
  const point = Buffer.from(text, 'base64url');
  demand(point.length === 65 && point[0] === 4 && point.toString('base64url') === text, 'k is no uncompressed point');
  const part = (from, to) => point.subarray(from, to).toString('base64url');
  return jose.importJWK({kty: 'EC', crv: 'P-256', x: part(1, 33), y: part(33, 65)}, 'ES256');
}

async function verifyToken(message) {
  const form = /^vapid t=([\w-]+\.[\w-]+\.[\w-]+), k=([\w-]+)$/.exec(header(message, 'Authorization'));
  demand(form, 'Authorization is not vapid t=…, k=…');
  const [, token, key] = form;
  demand(key === message.vapid_key, "k is not the server's key");
  const {payload} = await jose.jwtVerify(token, await publicKey(key), {
    algorithms: ['ES256'],
    audience: new URL(message.endpoint).origin,
    subject: message.subject,
    requiredClaims: ['aud', 'exp', 'sub'],
    currentDate: new Date(message.at * 1000),
  });
  demand(payload.exp <= message.at + DAY_S, 'exp is more than 24 hours away');
  return payload;
}

function decrypt(message) {
  demand(header(message, 'Content-Encoding') === 'aes128gcm', 'Content-Encoding is not aes128gcm');
  const body = Buffer.from(message.body, 'base64');
  demand(body.length <= 4096, 'the body is longer than push services must take');
  return ece.decrypt(body, {version: 'aes128gcm', privateKey: ours, authSecret: auth.toString('base64url')});
}

async function receive(message) {
  demand(/^[0-9]+$/.test(header(message, 'TTL')), 'TTL is no number of seconds');
  const claims = await verifyToken(message);
  return {payload: new TextDecoder('utf-8', {fatal: true}).decode(decrypt(message)), claims};
}

async function main() {
  const print = (value) => process.stdout.write(JSON.stringify(value) + '\n');
  print({p256dh: ours.getPublicKey('base64url'), auth: auth.toString('base64url')});
  for await (const line of readline.createInterface({input: process.stdin})) {
    print(await receive(JSON.parse(line)).catch((error) => ({error: error.message})));
  }
}

main();
