// A worker that finds a nonce: SHA-256 of "stamp:nonce" begins with so many zero bits. WebCrypto is there on https only, and slow for short texts.
const K = new Uint32Array(64);
const START = new Uint32Array(8);
// FIPS 180-4, 4.2.2 and 5.3.3: the first 32 bits of the fractional parts of the cube and square roots of the first primes.
for (let n = 2, found = 0; found < 64; n++) {
  let prime = true;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
  if (!prime) continue;
  const bits = (x) => (x - Math.floor(x)) * 4294967296;
  if (found < 8) START[found] = bits(Math.sqrt(n));
  K[found++] = bits(Math.cbrt(n));
}

const w = new Uint32Array(64);
function block(state, view, at) {
  for (let i = 0; i < 16; i++) w[i] = view.getUint32(at + 4 * i);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15];
    const y = w[i - 2];
    w[i] = w[i - 16] + w[i - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const t = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const u = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t) | 0;
    d = c;
    c = b;
    b = a;
    a = (t + u) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

function work(stamp, bits) {
  const text = new Uint8Array(512);
  const view = new DataView(text.buffer);
  const head = stamp.length + 1;
  for (let i = 0; i < stamp.length; i++) text[i] = stamp.charCodeAt(i);
  text[head - 1] = 58;
  // The blocks that no nonce changes are hashed once.
  const fixed = head - (head % 64);
  const start = START.slice();
  for (let at = 0; at < fixed; at += 64) block(start, view, at);
  const state = new Uint32Array(8);
  for (let n = 0; ; n++) {
    const nonce = String(n);
    for (let i = 0; i < nonce.length; i++) text[head + i] = nonce.charCodeAt(i);
    const length = head + nonce.length;
    const end = Math.ceil((length + 9) / 64) * 64;
    text.fill(0, length, end);
    text[length] = 128;
    view.setUint32(end - 4, length * 8);
    state.set(start);
    for (let at = fixed; at < end; at += 64) block(state, view, at);
    if (Math.clz32(state[0]) >= bits) return nonce;
  }
}

onmessage = ({ data }) => postMessage(work(data.stamp, data.bits));
