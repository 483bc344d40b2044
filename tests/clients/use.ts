// Uses the client that openapi-typescript and openapi-fetch make: node use.js ADDRESS KEY
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./broadsheet.js";

type Schemas = components["schemas"];
const [baseUrl, key] = process.argv.slice(2);
assert(baseUrl !== undefined && key !== undefined);
const client = createClient<paths>({ baseUrl });
const writer = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

// A list, and one article of it
const list = await client.GET("/v1/articles", { params: { query: { sort: "oldest", limit: 2 } } });
assert(list.data);
const listed: Schemas["ArticleSummary"] | Schemas["ArticleFields"] | undefined = list.data.items[0];
assert(listed?.id);
const one = await client.GET("/v1/articles/{article_id}", {
  params: { path: { article_id: listed.id } },
});
assert(one.data);
const publishedAt: string | null = one.data.published_at;
const precision: Schemas["Precision"] | null = one.data.published_precision;
console.log("article", one.data.headline, publishedAt, precision);

// A search with facets, walked by its cursor; the same as a body
const facets: Schemas["Facet"][] = ["source", "language"];
const headlines: string[] = [];
let cursor: string | null = null;
do {
  const query = { q: "rain", limit: 2, facets, ...(cursor === null ? {} : { cursor }) };
  const page: { data?: Schemas["SearchAnswer"] } = await client.GET("/v1/search", {
    params: { query },
  });
  assert(page.data);
  headlines.push(...page.data.items.map((hit) => hit.article.headline ?? ""));
  if (cursor === null) {
    for (const value of page.data.facets["source"] ?? []) {
      console.log("facet", value.label, value.count);
    }
  }
  cursor = page.data.next;
} while (cursor !== null);
console.log("found", headlines.sort().join(", "));
const body: Schemas["SearchBody"] = { q: "rain", histogram: "year" };
const posted = await client.POST("/v1/search", { body });
console.log("by body", posted.data?.total, posted.data?.histogram.length);

// Articles in, in two formats
const draft: Schemas["Draft"] = {
  headline: "Sent by a client",
  body: "It went well.",
  published_at: "2024-05-09T12:00:00Z",
  published_precision: "second",
};
const saved = await writer.POST("/v1/articles", { body: [draft] });
console.log("sent", saved.data?.items.map((item) => item.outcome).join());
const lines = await writer.POST("/v1/articles", {
  body: `${JSON.stringify({ headline: "A line by a client" })}\n`,
  bodySerializer: (text) => text,
  headers: { "Content-Type": "application/x-ndjson" },
});
console.log("lines", lines.data?.saved);

// Problems
const malformed = await client.GET("/v1/search", { params: { query: { q: 'a "b' } } });
const problem: Schemas["Problem"] | undefined = malformed.error;
console.log("problem", problem?.type, problem?.status, problem?.position);
const refused = await client.POST("/v1/articles", { body: draft });
console.log("problem", refused.error?.type, refused.error?.status);

// Changes and entities
const changes = await client.GET("/v1/changes", { params: { query: { since: 0, limit: 100 } } });
assert(changes.data);
console.log("changes", changes.data.items.map((event) => event.kind).join());
const entities = await client.GET("/v1/entities", { params: { query: { type: "place", sort: "name" } } });
assert(entities.data);
for (const entity of entities.data.items) {
  const type: Schemas["EntityType"] = entity.type;
  console.log("entity", type, entity.name, entity.article_count);
}

// Answers that are no JSON
const csv = await client.GET("/v1/search.csv", {
  params: { query: { q: "rain", fields: ["headline"] } },
  parseAs: "text",
});
console.log("rows", csv.data?.trim().split("\r\n").length);
