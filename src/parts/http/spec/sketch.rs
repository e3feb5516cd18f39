//! What a request will be, as far as that can be known before anything is sent.

use std::sync::Arc;

use reqwest::Method;
use url::Url;

use crate::ground::encode;
use crate::ground::secret::written::{Written, masked, pairs, parameters};
use crate::ground::secret::{Needles, is_secret_name};
use crate::parts::http::channel::Channel;
use crate::parts::http::curl::{Content, Hidden, Outline, Piece};
use crate::parts::http::message::Limits;
use crate::parts::http::spec::base_url::has_scheme;
use crate::parts::http::spec::render::RenderedBody;
use crate::parts::http::spec::{Body, RequestSpec};
use crate::parts::template::{Sketched, Sketcher, sketched};

/// A request that is not wholly known.
#[derive(Debug)]
pub struct Sketch {
    /// The method.
    pub method: Method,
    /// Where to, query included.
    pub url: Vec<Sketched>,
    /// The headers in the order in which they are sent.
    pub headers: Vec<(String, Vec<Sketched>)>,
    /// The body; `None` where there is none.
    pub body: Option<Vec<Sketched>>,
    /// What is computed when the request is sent, such as a signature.
    pub note: Option<&'static str>,
    /// Whether the body is told in words, not as it is sent.
    described: bool,
    /// User name and password of Basic.
    user: Option<Vec<Sketched>>,
    limits: Limits,
    channel: Option<Arc<Channel>>,
}

impl RequestSpec {
    /// The request, as far as it is known.
    #[must_use]
    pub fn sketch(&self, sketcher: &Sketcher<'_>) -> Sketch {
        let credential = self.auth.as_ref().map(|auth| auth.sketch(sketcher)).unwrap_or_default();
        let mut url = self.sketch_address(sketcher);
        let mut is_first =
            !url.iter().any(|piece| matches!(piece, Sketched::Text(text) if text.contains('?')));
        for (name, tree, _) in &self.query {
            for value in tree.sketch_values(sketcher) {
                push_pair(&mut url, name, named(name, value), &mut is_first);
            }
        }
        if let Some((name, value)) = credential.query {
            push_pair(&mut url, &name, value, &mut is_first);
        }
        let (body, described) = self.sketch_body(sketcher);
        let mut headers = self.sketch_headers(sketcher);
        headers.extend(credential.header);
        let mut limits = self.limits.resolve();
        // What is not known yet is left as it usually is.
        let _ = self.channel.limit(&mut limits, sketcher.scope());
        let usual = if body.is_none() { Method::GET } else { Method::POST };
        Sketch {
            method: self.method.clone().unwrap_or(usual),
            url,
            headers,
            body,
            note: credential.note,
            described,
            user: credential.user,
            limits,
            channel: self.channel.resolve(sketcher.scope()).ok().flatten(),
        }
    }

    fn sketch_address(&self, sketcher: &Sketcher<'_>) -> Vec<Sketched> {
        let url = self.url.sketch_url(sketcher, encode::url);
        let (Some(base), Some(Sketched::Text(head))) = (&self.base_url, url.first()) else { return url };
        if has_scheme(head) {
            return url;
        }
        let mut whole = base.sketch_url(sketcher, encode::url);
        if let Some(Sketched::Text(end)) = whole.last_mut() {
            end.truncate(end.trim_end_matches('/').len());
        }
        if !head.is_empty() && !head.starts_with(['/', '?', '#']) {
            whole.push(Sketched::Text("/".to_owned()));
        }
        whole.extend(url);
        whole
    }

    fn sketch_headers(&self, sketcher: &Sketcher<'_>) -> Vec<(String, Vec<Sketched>)> {
        let mut headers = Vec::with_capacity(self.headers.len() + 2);
        for (name, tree, _) in &self.headers {
            let values = tree.sketch_values(sketcher).into_iter();
            headers.extend(values.map(|value| (name.as_str().to_owned(), named(name.as_str(), value))));
        }
        let media = match &self.body {
            Body::Json(_) | Body::Graphql(_) => Some("application/json".to_owned()),
            Body::Form(_) => RenderedBody::Form(Vec::new()).media_type().map(str::to_owned),
            Body::Multipart(_) => Some("multipart/form-data".to_owned()),
            Body::File(file) => Some(file.media_type().to_owned()),
            Body::None | Body::Text(_) => None,
        };
        let has_own = headers.iter().any(|(name, _)| name == "content-type");
        let media = media.filter(|_| !has_own);
        headers.extend(media.map(|media| ("content-type".to_owned(), vec![Sketched::Text(media)])));
        headers
    }

    /// The body, and whether it is told in words.
    fn sketch_body(&self, sketcher: &Sketcher<'_>) -> (Option<Vec<Sketched>>, bool) {
        match &self.body {
            Body::None => (None, false),
            Body::Json(tree) => (Some(tree.sketch_json(sketcher)), false),
            Body::Text(template) => (Some(template.sketch(sketcher)), false),
            Body::Graphql(graphql) => (Some(graphql.sketch(sketcher)), false),
            Body::Multipart(parts) => (Some(parts.sketch(sketcher)), true),
            Body::File(file) => (Some(vec![Sketched::Text(file.shown())]), true),
            Body::Form(fields) => {
                let mut pieces = Vec::new();
                for (name, tree, _) in fields {
                    for value in tree.sketch_values(sketcher) {
                        let and = if pieces.is_empty() { "" } else { "&" };
                        pieces.push(Sketched::Text(format!("{and}{}=", encode::url(name))));
                        pieces.extend(named(name, value).into_iter().map(in_form));
                    }
                }
                (Some(pieces), false)
            }
        }
    }
}

impl Sketch {
    /// The command that would send it; a variable stands for what is not known, too.
    #[must_use]
    pub fn command(&self, needles: &Needles, known: &[(Arc<str>, String)]) -> String {
        let known = &[known, &self.literal_parameters()].concat();
        let pieces = |sketched: &[Sketched]| -> Vec<Piece> {
            sketched.iter().flat_map(|piece| told(piece, needles, known)).collect()
        };
        let body = match &self.body {
            None => Content::None,
            Some(_) if self.described => Content::Elsewhere("the body is made when it is sent".to_owned()),
            Some(body) => Content::Text(pieces(body)),
        };
        let headers = self.headers.iter().filter(|(name, _)| self.user.is_none() || name != "authorization");
        let target = self.origin();
        let outline = Outline {
            method: &self.method,
            url: pieces(&self.url),
            target: target.as_ref(),
            user: self.user.as_ref().map(|user| pieces(user)),
            headers: headers.map(|(name, value)| (name.clone(), pieces(value))).collect(),
            body,
            limits: &self.limits,
            channel: self.channel.as_deref(),
            unchecked: self.channel.as_deref().is_some_and(Channel::is_insecure),
        };
        outline.command(needles)
    }

    /// The URL as far as its first unknown piece, if that tells the origin.
    fn origin(&self) -> Option<Url> {
        let known = self.url.iter().map_while(|piece| match piece {
            Sketched::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let text: String = known.collect();
        let is_whole = text.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?']));
        Url::parse(&text).ok().filter(|_| is_whole)
    }

    /// A part of it as people see it.
    #[must_use]
    pub fn shown(pieces: &[Sketched], needles: &Needles) -> String {
        sketched(pieces, needles)
    }

    /// The URL as people see it, without what its parameters call a secret.
    #[must_use]
    pub fn shown_url(&self, needles: &Needles) -> String {
        let clean = |(piece, values): (&Sketched, Vec<Written<'_>>)| match piece {
            Sketched::Text(text) => Sketched::Text(masked(text, &values, |name, value| {
                needles.known_as(value).unwrap_or_else(|| name.into())
            })),
            piece => piece.clone(),
        };
        sketched(&self.literals().map(clean).collect::<Vec<_>>(), needles)
    }

    /// What its parameters call a secret and stands there as it is.
    fn literal_parameters(&self) -> Vec<(Arc<str>, String)> {
        let secrets = self.literals().flat_map(|(piece, values)| {
            let text = if let Sketched::Text(text) = piece { text.as_str() } else { "" };
            let secret = |Written { name, range, .. }: Written<'_>| (name.into(), text[range].to_owned());
            values.into_iter().map(secret).collect::<Vec<_>>()
        });
        secrets.collect()
    }

    /// The pieces of the URL, and where parameters that are secret stand in each.
    fn literals(&self) -> impl Iterator<Item = (&Sketched, Vec<Written<'_>>)> {
        let mut in_query = false;
        self.url.iter().map(move |piece| match piece {
            Sketched::Text(text) => {
                let values = if in_query { pairs(text) } else { parameters(text) };
                in_query |= text.contains('?');
                (piece, values)
            }
            piece => (piece, Vec::new()),
        })
    }
}

/// A piece of a command: what is not known is a variable.
fn told(piece: &Sketched, needles: &Needles, known: &[(Arc<str>, String)]) -> Vec<Piece> {
    match piece {
        Sketched::Text(text) => Piece::of(text, needles, known),
        Sketched::Secret(name) | Sketched::Unknown(name) => {
            vec![Piece::Hidden(Hidden::new(Arc::clone(name), name))]
        }
        Sketched::Written(text) => {
            let name = text.trim_matches(|c: char| !c.is_alphanumeric());
            vec![Piece::Hidden(Hidden::new(name, text))]
        }
    }
}

/// A value under a secret's name is told by that name.
fn named(name: &str, value: Vec<Sketched>) -> Vec<Sketched> {
    let is_known = value.iter().all(|piece| matches!(piece, Sketched::Text(_)));
    if is_known && is_secret_name(name) { vec![Sketched::Secret(name.into())] } else { value }
}

fn push_pair(url: &mut Vec<Sketched>, name: &str, value: Vec<Sketched>, is_first: &mut bool) {
    let between = if std::mem::take(is_first) { "?" } else { "&" };
    url.push(Sketched::Text(format!("{between}{}=", encode::url(name))));
    url.extend(value.into_iter().map(encoded));
}

/// As it stands in a form, where a blank is `+`.
fn in_form(piece: Sketched) -> Sketched {
    match encoded(piece) {
        Sketched::Text(text) => Sketched::Text(text.replace("%20", "+")),
        piece => piece,
    }
}

fn encoded(piece: Sketched) -> Sketched {
    match piece {
        Sketched::Text(text) => Sketched::Text(encode::url(&text)),
        piece => piece,
    }
}
