//! How the keys of the language are written, for messages about a value of the wrong shape: an
//! example of the very key says more than «a map».

const EXAMPLES: &[(&str, &str)] = &[
    ("a workflow", "write `steps:` and below it one step a line: `- request: GET https://…`"),
    ("a step", "write `- request: GET https://…`, or `- request:` and its keys below"),
    ("steps", LIST_OF_STEPS),
    ("finally", LIST_OF_STEPS),
    ("parallel", LIST_OF_STEPS),
    ("inputs", "write `name: value` or `name: { env: NAME }`, without `- `"),
    ("tags", "write `tags: [smoke]`"),
    ("request", "write `request: GET https://…`, or `request: { method: PUT, url: https://… }`"),
    ("url", "write one URL; its query may stand under `query`"),
    ("headers", "write `headers: { Accept: text/plain }`, without `- `"),
    ("query", "write `query: { page: 2, tag: [a, b] }`"),
    ("form", "write `form: { name: value }`"),
    ("multipart", "write `multipart: [ { name: title, value: hello }, { name: photo, file: a.png } ]`"),
    ("auth", "write `auth: { bearer: \"{{ token }}\" }`"),
    ("basic", "write `basic: { username: …, password: … }`"),
    ("digest", "write `digest: { username: …, password: … }`"),
    ("api_key", "write `api_key: { header: X-Api-Key, value: … }`"),
    ("bearer", "write the token alone: `bearer: \"{{ token }}\"`"),
    ("tls", "write `tls: { ca: ca.pem }`, or `tls: { insecure: true }` to accept any certificate"),
    ("no_proxy", "write `no_proxy: [.example.com, 10.0.0.0/8]`"),
    ("proxy", "write `proxy: http://host:3128`, or `proxy: none`"),
    ("resolve", "write `resolve: { api.example.com: 127.0.0.1 }`"),
    ("timeout", "write `timeout: 10s`"),
    ("limits", "write `limits: { first_byte: 5s, idle: 10s }`"),
    ("limits.headers", "write how many an answer may have: `headers: 200`"),
    ("limits.values", "write how many values the JSON of an answer may have: `values: 5000000`"),
    ("limits.ratio", "write how many times larger a body may become: `ratio: 500`"),
    ("extract", "write `extract: { name: $.path }`, without `- `"),
    ("expect", "write `expect: { status: 200 }`"),
    ("status", "write 200, 2xx, [200, 201], 200..299 or any"),
    ("json", "write a path and what it must be: `json: { $.id: 7 }`"),
    ("json_all", "write a path and what its values must be: `json_all: { $.list[*].id: [1, 2] }`"),
    ("cookies", "write `cookies: none`; one of your own is a header: `headers: { Cookie: a=1 }`"),
    ("schema", "write the schema into a file and name it: `schema: user.schema.json`"),
    ("jwt", "write `jwt: { from: $.access_token, claim: exp }`"),
    ("expect.jwt", "write `jwt: { from: $.access_token, claims: { aud: … } }`"),
    ("verify", "write `verify: { jwks: https://… }` or `verify: { key: \"{{ key }}\" }`"),
    ("that", "write `that: [\"{{ response.json.total > 0 }}\"]`"),
    ("when", "write `when: \"{{ name == 'value' }}\"`"),
    ("until", "write `until: \"{{ response.status == 200 }}\"`"),
    ("fail_if", "write `fail_if: \"{{ response.status == 500 }}\"`"),
    ("uses", "write `uses: ./login.yaml`"),
    ("with", "write `with: { input: value }`"),
    ("script", "write `script: |` and the script below it, or `script: { file: scripts/sign.rhai }`"),
    ("between", "write `between: [1, 10]`; both ends are allowed"),
    ("mock", "write `mock: mocks/shop.yaml`"),
    ("repeat", "write `repeat: 3`, or `repeat: { until: \"{{ response.status == 200 }}\", every: 2s }`"),
    ("env", "name one environment variable: `env: API_TOKEN`"),
];

const LIST_OF_STEPS: &str =
    "begin each step with `- `: `- request: GET https://…`; what it is called goes into `id`";

/// What to write under a key.
#[must_use]
pub fn of(what: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(key, _)| *key == what).map(|(_, example)| *example)
}
