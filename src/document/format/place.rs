//! What the language knows of each place in a file: the order of its keys, and what stands below.
//!
//! The order is that of FORMAT.md, which is how a step is read: who it is, when it runs, what it
//! sends, what it expects, what it takes from the answer. Maps whose keys the user chooses have
//! no order here, since theirs is kept everywhere.

/// A place in a file.
#[derive(Debug)]
pub(super) struct Place {
    /// The keys of the language in their order; none where the user chooses them.
    pub(super) keys: &'static [&'static str],
    /// What stands below some of them.
    below: &'static [(&'static str, &'static Place)],
    /// What stands below every other key.
    each: Option<&'static Place>,
    /// What the elements of a list are.
    element: Option<&'static Place>,
    /// Whether its elements are set apart by blank lines.
    pub(super) spaced: bool,
}

impl Place {
    /// What stands below a key. What is merged stands in the same place.
    pub(super) fn below(&'static self, key: &str) -> &'static Self {
        if key == "<<" {
            return self;
        }
        let known = self.below.iter().find(|(known, _)| *known == key).map(|(_, place)| *place);
        known.or(self.each).unwrap_or(&FREE)
    }

    /// What an element of a list is. Maps in a list that is merged stand in the same place.
    pub(super) fn element(&'static self) -> &'static Self {
        self.element.unwrap_or(if self.keys.is_empty() { &FREE } else { self })
    }
}

/// A place of which nothing is known.
pub(super) static FREE: Place = Place { keys: &[], below: &[], each: None, element: None, spaced: false };

/// A map with nothing below that has an order.
const fn map(keys: &'static [&'static str]) -> Place {
    Place { keys, ..FREE_PLACE }
}

const FREE_PLACE: Place = Place { keys: &[], below: &[], each: None, element: None, spaced: false };

pub(super) static WORKFLOW: Place = Place {
    keys: &[
        "name",
        "description",
        "tags",
        "inputs",
        "vars",
        "defaults",
        "mock",
        "session",
        "steps",
        "finally",
        "outputs",
    ],
    below: &[
        ("inputs", &ENVIRONMENT),
        ("defaults", &DEFAULTS),
        ("mock", &STAND_IN),
        ("session", &SESSION),
        ("steps", &STEPS),
        ("finally", &STEPS),
    ],
    ..FREE_PLACE
};

/// A map of inputs, which is what an environment file is, too.
pub(super) static ENVIRONMENT: Place = Place { each: Some(&INPUT), ..FREE_PLACE };

static INPUT: Place = map(&[
    "type",
    "env",
    "file",
    "command",
    "value",
    "default",
    "required",
    "secret",
    "choices",
    "description",
]);

static STAND_IN: Place = map(&["file", "replaces", "inputs", "state", "tls"]);

static SESSION: Place = Place {
    keys: &["key", "token", "auth", "expires", "margin", "keep", "cookies", "refresh", "rejected", "logout"],
    below: &[("refresh", &STEPS), ("logout", &STEPS)],
    ..FREE_PLACE
};

static STEPS: Place = Place { element: Some(&STEP), spaced: true, ..FREE_PLACE };

static STEP: Place = Place {
    keys: &[
        "id",
        "name",
        "when",
        "for_each",
        "repeat",
        "retry",
        "before",
        "request",
        "uses",
        "with",
        "script",
        "parallel",
        "after",
        "expect",
        "extract",
        "snapshot",
        "continue_on_failure",
    ],
    below: &[
        ("repeat", &REPEAT),
        ("retry", &RETRY),
        ("request", &REQUEST),
        ("parallel", &STEPS),
        ("expect", &EXPECT),
        ("extract", &EXTRACT),
        ("snapshot", &SNAPSHOT),
    ],
    ..FREE_PLACE
};

static REPEAT: Place = map(&["until", "fail_if", "every", "within", "max"]);
static RETRY: Place = map(&["max", "if", "backoff"]);

static REQUEST: Place = Place {
    keys: &[
        "method",
        "url",
        "query",
        "headers",
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
    ],
    below: &[("multipart", &MULTIPART), ("graphql", &GRAPHQL), ("proxy", &PROXY), ("limits", &LIMITS)],
    ..FREE_PLACE
};

static PROXY: Place = map(&["url", "no_proxy"]);

static DEFAULTS: Place = Place {
    keys: &[
        "base_url",
        "method",
        "headers",
        "auth",
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
        "retry",
    ],
    below: &[("proxy", &PROXY), ("limits", &LIMITS)],
    ..FREE_PLACE
};

static LIMITS: Place = map(&["headers", "header_size", "first_byte", "idle", "ratio", "values"]);

static MULTIPART: Place = Place { element: Some(&PART), ..FREE_PLACE };
static PART: Place = map(&["name", "value", "file", "filename", "content_type"]);
static GRAPHQL: Place = map(&["query", "variables", "operation"]);

static EXTRACT: Place = Place { each: Some(&EXTRACT_ENTRY), ..FREE_PLACE };

static EXTRACT_ENTRY: Place = map(&[
    "json",
    "json_all",
    "header",
    "cookie",
    "status",
    "link",
    "regex",
    "xpath",
    "css",
    "attribute",
    "body",
    "jwt",
    "time",
    "type",
    "collect",
    "optional",
    "default",
    "secret",
]);

static EXPECT: Place = map(&[
    "status", "headers", "cookies", "json", "json_all", "xpath", "css", "regex", "body", "schema", "jwt",
    "time", "size", "tls", "that",
]);

static SNAPSHOT: Place = map(&["name", "include", "redact", "sort", "ignore", "match"]);

pub(super) static MOCK: Place =
    Place { keys: &["name", "tls", "state", "routes"], below: &[("routes", &ROUTES)], ..FREE_PLACE };
static ROUTES: Place = Place { element: Some(&ROUTE), ..FREE_PLACE };
static ROUTE: Place = map(&["route", "when", "reply", "script", "fault"]);
