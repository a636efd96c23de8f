// What everybody may read. Called by ../routes.ts.
import { openRoute } from "../route.ts";
import { KeyList } from "../schemas.ts";

export const PUBLIC_KEYS = openRoute({
  method: "GET",
  path: "/v1/keys",
  operationId: "listKeys",
  tag: "Public",
  summary: "Public keys of tokens",
  description: "Two at most. Ask again when a token names one (`k`) that you do not have.",
  answers: [
    {
      status: 200,
      description: "A JWK Set.",
      schema: KeyList,
      examples: {
        answer: {
          keys: [
            {
              kty: "OKP",
              crv: "Ed25519",
              x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
              kid: "11qYAYKx",
              use: "sig",
            },
          ],
        },
      },
    },
  ],
  give: ({ publicKeys }) => ({
    keys: publicKeys.map((x) => ({ kty: "OKP", crv: "Ed25519", x, kid: x.slice(0, 8), use: "sig" })),
  }),
});
