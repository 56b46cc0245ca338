// Reads each file *.bitmap of a folder with the npm package `roaring`, prints what is in it, and writes the set as the
// package itself serialises it to *.node.
"use strict";

const fs = require("fs");
const path = require("path");
const { RoaringBitmap32 } = require("roaring");

const MODULUS = 1n << 40n;

function summary(set) {
  let place = 0n;
  let sum = 0n;
  for (const id of set) {
    place += 1n;
    sum = (sum + place * BigInt(id)) % MODULUS;
  }
  return `${set.size} ${set.minimum()} ${set.maximum()} ${sum}`;
}

const folder = process.argv[2];
for (const name of fs.readdirSync(folder).filter((name) => name.endsWith(".bitmap")).sort()) {
  const bytes = fs.readFileSync(path.join(folder, name));
  const set = RoaringBitmap32.deserialize(bytes, "portable");
  console.log(`${name}\t${summary(set)}`);
  set.runOptimize();
  fs.writeFileSync(path.join(folder, name.replace(/bitmap$/, "node")), set.serialize("portable"));
}
