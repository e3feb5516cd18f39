//! What people write who come from another tool, where a mere change of the word would not do.
//!
//! A key that stands in the wrong place, or that has no word of ours, is told with the way to do the
//! same here: a list of all keys helps nobody who looks for `sleep`.

/// Where a key stands, its spellings elsewhere, and what to do.
type Advice = (&'static [&'static str], &'static [&'static str], &'static str);

const WORKFLOW: &[&str] = &["a workflow"];
const STEP: &[&str] = &["a step"];
const REQUEST: &[&str] = &["request"];
const SENT: &[&str] = &["request", "defaults"];
const EXPECT: &[&str] = &["expect"];
const AUTH: &[&str] = &["auth"];
const TLS: &[&str] = &["tls"];
const PROXY: &[&str] = &["proxy"];
const REPEAT: &[&str] = &["repeat"];
const RETRY: &[&str] = &["retry"];

const BODIES: &str = "write `json:` for a JSON document, `form:` for fields, `body:` for a text";
const INSECURE: &str = "to accept any certificate write `tls: { insecure: true }`";
const BASIC: &str = "write `auth: { basic: { username: …, password: … } }`";
const BEARER: &str = "write `auth: { bearer: \"{{ token }}\" }`";
const REDIRECTS: &str = "to follow none write `redirects: none`; to follow fewer, `redirects: { max: 3 }`";
const PARTS: &str = "write the value into the path: `url: \"{{ base }}/users/{{ id }}\"`";
const WAIT: &str =
    "there is no waiting by the clock: wait for what must come: `repeat: { until: \"{{ … }}\", every: 2s }`";
const ORDER: &str = "steps run in their order; those under `parallel` at once";
const LIMITS: &str = "it belongs under `limits`: `limits: { first_byte: 5s, idle: 10s }`, also `headers`, `header_size`, `ratio`, `values`";
const BESIDE_LIMITS: &str = "`timeout`, `connect_timeout` and `max_body` stand beside `limits`, not in it";
const IN_REQUEST: &str = "it belongs to the request: `request: { url: …, method: …, headers: … }`";
const IN_DEFAULTS: &str = "what holds for every request stands under `defaults`";
const IN_EXPECT: &str = "it belongs under `expect`: `expect: { status: 200 }`";
const REPEATED: &str = "write `repeat: { until: \"{{ … }}\", every: 2s }`";
const TIMES: &str = "write `repeat: 3`; beside `until` the word is `max`";
const NO_SHELL: &str = "no shell runs in a workflow: the value of an input may come from a `command`, and `script` is Rhai; another workflow is run by `uses`";
const USES: &str = "another workflow is run by `uses: ./login.yaml`, with `with: { input: value }`";
const WITH: &str = "what goes in stands under `with`: `with: { input: value }`";
const BRANCH: &str = "give each step that depends on it a `when: \"{{ … }}\"`";
const OPPOSITE: &str = "write the opposite under `when`: `when: \"{{ not … }}\"`";
const PRINT: &str = "print from a script: `after: print(response.status);`";
const SET: &str = "set it in a script: `before: vars.name = \"value\";`, or under `vars` at the top";
const CONTENT_TYPE: &str =
    "it is a header: `headers: { Content-Type: … }`; `json` and `form` set it themselves";

const ADVICE: &[Advice] = &[
    (
        PROXY,
        &["host", "hostname", "port", "server", "http", "https", "scheme", "protocol"],
        "write `proxy: http://host:3128`, or `proxy: none`",
    ),
    (
        PROXY,
        &["auth", "user", "username", "password"],
        "they stand in its URL: `proxy: \"http://{{ user }}:{{ password }}@proxy.example:8080\"`",
    ),
    (PROXY, &["bypass", "exclude", "except", "noproxy"], "write `no_proxy: [.example.com, 10.0.0.0/8]`"),
    (
        WORKFLOW,
        &["on", "jobs", "runs_on", "runners", "options", "scenarios", "thresholds", "meta"],
        "a workflow here is a list of `steps`, each with a `request`; see `reqchain new`",
    ),
    (WORKFLOW, &["env", "environment"], "declare an input for each: `inputs: { NAME: { env: NAME } }`"),
    (
        WORKFLOW,
        &["environments"],
        "each environment is a file of its own: `environments/staging.yaml`, chosen by `--env staging`",
    ),
    (
        WORKFLOW,
        &["secrets"],
        "declare them under `inputs`: `inputs: { token: { env: TOKEN, secret: true } }`",
    ),
    (WORKFLOW, &["base_url", "url", "host", "server", "servers"], "write `defaults: { base_url: … }`"),
    (
        WORKFLOW,
        &["timeout", "retry", "retries", "headers", "auth", "tls", "proxy", "redirects", "cookies"],
        IN_DEFAULTS,
    ),
    (
        WORKFLOW,
        &["config", "settings", "global", "globals"],
        "variables stand under `vars`, settings of requests under `defaults`",
    ),
    (WORKFLOW, &["before", "before_all", "setup"], "make it the first step"),
    (
        WORKFLOW,
        &["after", "on_failure", "on_error"],
        "steps that run whatever happened stand under `finally`",
    ),
    (
        WORKFLOW,
        &["parallel", "concurrency"],
        "steps that run at once stand in a step's `parallel`; whole workflows run at once by `--jobs N`",
    ),
    (WORKFLOW, &["data", "dataset", "examples"], "rows are given to the run: `--data rows.csv`"),
    (WORKFLOW, &["import", "imports", "include", "includes", "use", "uses"], USES),
    (
        WORKFLOW,
        &["functions", "scripts"],
        "functions stand in `scripts/name.rhai`: `import \"name\" as name;` in a script",
    ),
    (WORKFLOW, &["request", "http"], "a request stands in a step: `steps: [{ request: GET https://… }]`"),
    (
        WORKFLOW,
        &["version", "author", "openapi", "info"],
        "leave it out; what people should know goes into `description`",
    ),
    (
        STEP,
        &[
            "url",
            "uri",
            "method",
            "headers",
            "header",
            "query",
            "auth",
            "json",
            "form",
            "multipart",
            "body",
            "file",
            "graphql",
            "timeout",
            "connect_timeout",
            "redirects",
            "cookies",
            "tls",
            "proxy",
            "resolve",
            "http_version",
            "max_body",
            "limits",
            "req",
            "base_url",
        ],
        IN_REQUEST,
    ),
    (
        STEP,
        &["get", "post", "put", "patch", "delete", "head"],
        "write the method first: `request: GET https://…`, or `request: { method: PUT, url: … }`",
    ),
    (STEP, &["status", "status_code"], IN_EXPECT),
    (STEP, &["thresholds"], "write `expect: { time: { lt: 500ms } }`"),
    (STEP, &["params", "inputs", "args", "arguments", "parameters"], WITH),
    (STEP, &["env", "vars", "variables", "set", "let"], SET),
    (STEP, &["sleep", "wait", "delay", "pause", "think_time", "wait_for"], WAIT),
    (STEP, &["while", "until", "poll"], REPEATED),
    (STEP, &["times", "count"], TIMES),
    (STEP, &["with_items", "items"], "write `for_each: { item: \"{{ list }}\" }`"),
    (STEP, &["depends_on", "needs"], ORDER),
    (STEP, &["then", "else", "elif", "switch", "case"], BRANCH),
    (STEP, &["skip_if", "unless"], OPPOSITE),
    (STEP, &["skip", "disabled", "enabled"], "write `when: false`, or put a `#` before its lines"),
    (STEP, &["run", "shell", "cmd", "command", "exec"], NO_SHELL),
    (STEP, &["call", "workflow", "template"], USES),
    (STEP, &["log", "print", "echo", "debug"], PRINT),
    (
        STEP,
        &["group", "steps"],
        "a group of steps is a workflow of its own, run by `uses`; `parallel` runs a list at once",
    ),
    (STEP, &["outputs", "output"], "write `extract: { name: $.path }`; `outputs` stands at the top"),
    (STEP, &["description", "desc"], "what it does goes into its `name`"),
    (STEP, &["tags", "tag"], "tags belong to the whole workflow"),
    (STEP, &["timeout_minutes"], "write `request: { timeout: 5m }`"),
    (STEP, &["fail_fast"], "a failed step ends the workflow; `continue_on_failure: true` goes on"),
    (
        STEP,
        &["options", "config", "settings"],
        "put each where it belongs: `retry` and `repeat` in the step, `timeout` and `redirects` in `request`",
    ),
    (
        SENT,
        &["insecure", "verify", "verify_ssl", "ssl_verify", "ssl", "strict_ssl", "skip_tls_verify"],
        INSECURE,
    ),
    (
        SENT,
        &["cert", "key", "ca", "cacert", "pkcs12", "client_cert"],
        "it belongs under `tls`: `tls: { ca: …, cert: …, key: … }`",
    ),
    (SENT, &["follow_redirects", "follow_redirect", "max_redirects", "location"], REDIRECTS),
    (SENT, &["bearer", "token", "bearer_token"], BEARER),
    (SENT, &["basic", "basic_auth", "user", "username", "password"], BASIC),
    (SENT, &["authorization"], "write `auth: { bearer: … }`; the header as it stands goes into `headers`"),
    (SENT, &["content_type", "accept", "user_agent", "referer"], CONTENT_TYPE),
    (SENT, &["http2", "http_2", "http1"], "write `http_version: 2`"),
    (
        SENT,
        &["compressed", "gzip", "compress"],
        "compressed answers are asked for and unpacked by themselves; `headers: { Accept-Encoding: identity }` asks for plain ones",
    ),
    (
        SENT,
        &[
            "idle",
            "idle_timeout",
            "read_timeout",
            "first_byte",
            "first_byte_timeout",
            "response_timeout",
            "max_headers",
            "headers_max",
            "header_size",
            "max_header_size",
            "ratio",
        ],
        LIMITS,
    ),
    (&["limits"], &["timeout", "connect_timeout", "max_body", "body", "total"], BESIDE_LIMITS),
    (&["limits"], &["redirects", "max_redirects"], REDIRECTS),
    (
        SENT,
        &["cookie"],
        "write `headers: { Cookie: \"name=value\" }`; a server's cookies are kept by themselves",
    ),
    (REQUEST, &["type"], "the method is `method`; what the body is, `json`, `form` or `body` says"),
    (REQUEST, &["path", "endpoint"], "write it in `url`: `url: /users` behind `defaults: { base_url: … }`"),
    (REQUEST, &["path_params", "url_params", "path_variables", "path_parameters"], PARTS),
    (REQUEST, &["payload", "data", "body_json", "content", "raw", "body_raw"], BODIES),
    (
        REQUEST,
        &["formdata", "form_data", "files", "attachments"],
        "write `multipart: [ { name: …, value: … }, { name: …, file: … } ]`",
    ),
    (REQUEST, &["urlencoded", "form_urlencoded", "form_params"], "write `form: { name: value }`"),
    (
        REQUEST,
        &[
            "expect", "extract", "retry", "repeat", "before", "after", "when", "assert", "tests", "capture",
            "id", "name",
        ],
        "it belongs to the step: write it beside `request`, not inside it",
    ),
    (&["defaults"], &["url", "host", "server"], "the part that all URLs begin with is `base_url`"),
    (
        &["defaults"],
        &["query", "params"],
        "every request has its own `query`; give a value that they share under `vars`",
    ),
    (
        &["defaults"],
        &["json", "form", "multipart", "body", "file", "graphql"],
        "every request has its own body; give a value that they share under `vars`",
    ),
    (&["defaults"], &["expect", "extract", "before", "after"], "it belongs to each step"),
    (EXPECT, &["content_type"], "write `headers: { Content-Type: { contains: json } }`"),
    (EXPECT, &["contains", "body_contains", "text"], "write `body: { contains: … }`"),
    (EXPECT, &["matches", "body_matches"], "write `body: { matches: … }`"),
    (
        EXPECT,
        &["script", "assert", "expr", "condition"],
        "write `that: [\"{{ response.status == 200 }}\"]`, or `check(…)` in `after`",
    ),
    (EXPECT, &["response"], "what stands in it goes straight under `expect`"),
    (
        EXPECT,
        &["message", "msg"],
        "leave it out: a failed check is told with what was expected and what came",
    ),
    (
        AUTH,
        &["type"],
        "the scheme is the key: `auth: { bearer: … }`, `auth: { basic: { username: …, password: … } }`",
    ),
    (AUTH, &["token"], BEARER),
    (AUTH, &["username", "user", "password", "pass"], BASIC),
    (
        AUTH,
        &["ntlm", "kerberos", "negotiate", "hawk", "oauth1"],
        "this scheme is not part of the language; a script may make its header in `before`",
    ),
    (
        TLS,
        &["verify", "verify_peer", "verify_ssl", "check", "reject_unauthorized", "strict"],
        "to accept any certificate write `insecure: true`",
    ),
    (REPEAT, &["times", "count"], TIMES),
    (REPEAT, &["while"], "write the opposite under `until`"),
    (REPEAT, &["condition", "if", "when"], "say when it ends: `until: \"{{ … }}\"`"),
    (
        RETRY,
        &["until", "while"],
        "`retry` sends again after a failure; polling is `repeat: { until: \"{{ … }}\" }`",
    ),
    (&["redirects"], &["follow", "enabled"], "to follow none write `redirects: none`"),
    (
        &["mock"],
        &["routes", "port", "name", "state"],
        "the routes stand in a file of their own: `mock: mocks/shop.yaml`",
    ),
    (
        &["expect.jwt"],
        &["aud", "iss", "sub", "exp", "nbf", "iat", "scope"],
        "claims stand under `claims`: `claims: { aud: … }`",
    ),
    (
        &["verify"],
        &["alg", "algorithm", "algorithms"],
        "the token names its algorithm, and it must be one for the key; `none` never is",
    ),
    (&["graphql"], &["mutation"], "a mutation is written under `query` too"),
    (&["inputs."], &["from", "source"], "write `env: NAME`, `file: path` or `command: [program, argument]`"),
    (
        &["inputs."],
        &["prompt", "ask"],
        "nobody is asked: the caller gives it by `--input name=value`; what it is for goes into `description`",
    ),
    (&["inputs."], &["optional"], "write `required: false`"),
    (
        &["extract."],
        &["from", "path", "source", "query", "expression", "selector"],
        "name the kind of the selector: `json: $.path`, `header: name`, `regex: …`",
    ),
    (
        &["extract."],
        &["name", "as", "variable", "var"],
        "the variable is the key: `extract: { name: $.path }`",
    ),
    (&["extract."], &["jq", "jmespath"], "write a JSON path: `json: $.list[0].id`"),
    (&["extract."], &["required"], "what is not found is an error by itself; `optional: true` allows it"),
];

/// What to do instead of a key that `what` does not know.
#[must_use]
pub fn advice(what: &str, word: &str) -> Option<&'static str> {
    let word = plain(word);
    let here = |place: &str| what == place || (place.ends_with('.') && what.starts_with(place));
    let found = ADVICE
        .iter()
        .find(|(places, words, _)| places.iter().any(|place| here(place)) && words.contains(&word.as_str()));
    found.map(|(_, _, help)| *help)
}

/// A word in the spelling of our own: `statusCode`, `Status-Code` and `status code` are `status_code`.
#[must_use]
pub fn plain(word: &str) -> String {
    let mut plain = String::with_capacity(word.len() + 2);
    let mut lower = false;
    for c in word.chars() {
        if c.is_uppercase() && lower {
            plain.push('_');
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
        match c {
            '-' | ' ' | ':' => plain.push('_'),
            c => plain.extend(c.to_lowercase()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_word_is_one() {
        for word in ["statusCode", "status-code", "StatusCode", "status_code", "Status Code", "STATUS_CODE"] {
            assert_eq!(plain(word), "status_code", "{word}");
        }
        assert_eq!(plain("http2"), "http2");
        assert_eq!(plain("größe"), "größe");
    }

    #[test]
    fn advice_belongs_to_its_place() {
        assert!(advice("a step", "sleep").is_some_and(|help| help.contains("repeat")));
        assert!(advice("request", "sleep").is_none());
        assert!(advice("inputs.user", "prompt").is_some());
        assert!(advice("request", "followRedirects").is_some_and(|help| help.contains("redirects: none")));
    }

    #[test]
    fn no_word_of_a_place_is_advised_on_twice() {
        let mut seen = std::collections::HashSet::new();
        for (places, words, _) in ADVICE {
            for (place, word) in places.iter().flat_map(|place| words.iter().map(move |word| (place, word))) {
                assert!(seen.insert((place, word)), "{place}: {word}");
                assert_eq!(plain(word), **word, "{place}: {word} is compared in this spelling");
            }
        }
    }
}
