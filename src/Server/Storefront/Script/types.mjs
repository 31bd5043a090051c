// schemas.d.ts from the OpenAPI document of a running server: what the script uses, and what that refers to.
//   node types.mjs OPENAPI.json [OUTPUT]
import { readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const USED = ["MeDocument", "OrderDocument", "OrderTokenDocument", "PageOfSaleDocument", "ProblemDocument", "ReservationDocument", "SaleStateDocument", "TimeDocument"];

const all = JSON.parse(readFileSync(process.argv[2], "utf8"));
const schemas = {};
function take(name) {
  if (schemas[name]) return;
  schemas[name] = all.components.schemas[name];
  for (const [, other] of JSON.stringify(schemas[name]).matchAll(/#\/components\/schemas\/([A-Za-z]+)/g)) take(other);
}
USED.forEach(take);
const ordered = Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
const text = astToString(await openapiTS({ openapi: all.openapi, info: all.info, paths: {}, components: { schemas: ordered } }));
writeFileSync(process.argv[3] ?? new URL("schemas.d.ts", import.meta.url), `// Made from the OpenAPI document by types.mjs.\n${text}`);
