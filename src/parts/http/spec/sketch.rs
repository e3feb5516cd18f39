//! What a request will be, as far as that can be known before anything is sent.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::HeaderName;
use url::Url;

use crate::ground::encode::{self, Spelling};
use crate::ground::secret::Needles;
use crate::ground::secret::written::{self, Written};
use crate::parts::http::channel::Channel;
use crate::parts::http::curl::{Content, Hidden, Outline, Piece};
use crate::parts::http::message::{Limits, holds_url, is_credential};
use crate::parts::http::spec::RequestSpec;
use crate::parts::http::spec::base_url::has_scheme;
use crate::parts::http::spec::body::SketchedBody;
use crate::parts::template::{Secret, Sketched, Sketcher, sketched};

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
    pub body: Option<SketchedBody>,
    /// What is computed when the request is sent, such as a signature.
    pub note: Option<&'static str>,
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
                push_pair(&mut url, name, value, &mut is_first);
            }
        }
        if let Some((name, value)) = credential.query {
            push_pair(&mut url, &name, value, &mut is_first);
        }
        let url = hidden(url, written::parameters, encode::decoded);
        let body = self.body.sketch(sketcher);
        let mut headers = self.sketch_headers(sketcher, body.as_ref().and_then(|body| body.media));
        headers.extend(credential.header);
        let mut limits = self.limits.resolve();
        // What is not known yet is left as it usually is.
        sketcher.attempt(|visit| self.channel.reads(visit), |scope| self.channel.limit(&mut limits, scope));
        let channel =
            sketcher.attempt(|visit| self.channel.reads(visit), |scope| self.channel.resolve(scope));
        let usual = if body.is_none() { Method::GET } else { Method::POST };
        Sketch {
            method: self.method.clone().unwrap_or(usual),
            url,
            headers,
            body,
            note: credential.note,
            user: credential.user,
            limits,
            channel: channel.flatten(),
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

    fn sketch_headers(&self, sketcher: &Sketcher<'_>, media: Option<&str>) -> Vec<(String, Vec<Sketched>)> {
        let mut headers = Vec::with_capacity(self.headers.len() + 2);
        for (name, tree, _) in &self.headers {
            let values = tree.sketch_values(sketcher).into_iter();
            headers.extend(values.map(|value| (name.as_str().to_owned(), of_header(name, value))));
        }
        let has_own = headers.iter().any(|(name, _)| name == "content-type");
        let media = media.filter(|_| !has_own).map(|media| vec![Sketched::Text(media.to_owned())]);
        headers.extend(media.map(|media| ("content-type".to_owned(), media)));
        headers
    }
}

impl Sketch {
    /// The command that would send it; a variable stands for what is not known, too.
    #[must_use]
    pub fn command(&self, needles: &Needles, known: &[(Arc<str>, String)]) -> String {
        let pieces = |sketched: &[Sketched]| -> Vec<Piece> {
            sketched.iter().flat_map(|piece| told(piece, needles, known)).collect()
        };
        let body = match &self.body {
            None => Content::None,
            Some(body) if body.is_described => {
                Content::Elsewhere("the body is made when it is sent".to_owned())
            }
            Some(body) => Content::Text(pieces(&body.pieces)),
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
}

/// A piece of a command: what is not known is a variable.
fn told(piece: &Sketched, needles: &Needles, known: &[(Arc<str>, String)]) -> Vec<Piece> {
    let hidden = match piece {
        Sketched::Text(text) => return Piece::of(text, needles, known),
        Sketched::Secret(Secret { name, own, written }) => Hidden::of(name, written, own),
        Sketched::Unknown(name) => Hidden::new(Arc::clone(name), name),
        Sketched::Written(text) => Hidden::new(text.trim_matches(|c: char| !c.is_alphanumeric()), text),
        Sketched::Encoded(form, open) => {
            let in_form = |piece| match piece {
                Piece::Hidden(hidden) => Piece::Hidden(Hidden { form: *form, ..hidden }),
                text @ Piece::Text(_) => text,
            };
            return told(open, needles, known).into_iter().map(in_form).collect();
        }
    };
    vec![Piece::Hidden(hidden)]
}

/// The value of a header; one that carries a credential is told by its name.
fn of_header(name: &HeaderName, value: Vec<Sketched>) -> Vec<Sketched> {
    let text = |piece: &Sketched| match piece {
        Sketched::Text(text) => Some(text.clone()),
        _ => None,
    };
    if let (Some(text), true) = (value.iter().map(text).collect::<Option<String>>(), is_credential(name)) {
        return vec![Sketched::Secret(Secret::new(name.as_str(), text))];
    }
    hidden(value, if holds_url(name) { written::parameters } else { written::certain }, encode::decoded)
}

/// A text in which what is known of a value under a secret's name is told by that name.
/// `decode` undoes the encoding in which it stands there.
pub(super) fn hidden(
    pieces: Vec<Sketched>,
    find: fn(&str) -> Vec<Written<'_>>,
    decode: fn(&str) -> String,
) -> Vec<Sketched> {
    // What is not a text is no part of a name, and no sign that separates.
    let plain = |piece: &Sketched| match piece {
        Sketched::Text(text) => text.clone(),
        _ => "_".to_owned(),
    };
    let whole: String = pieces.iter().map(plain).collect();
    let secrets = find(&whole);
    if secrets.is_empty() {
        return pieces;
    }
    let (mut clean, mut from) = (Vec::with_capacity(pieces.len()), 0);
    for piece in pieces {
        let place = from..from + plain(&piece).len();
        from = place.end;
        if !matches!(piece, Sketched::Text(_)) {
            clean.push(piece);
            continue;
        }
        let mut kept = place.start;
        for Written { name, range, .. } in &secrets {
            let (start, end) = (range.start.max(place.start), range.end.min(place.end));
            if start < end {
                clean.push(Sketched::Text(whole[kept..start].to_owned()));
                let written = &whole[start..end];
                let secret = Secret::new(*name, decode(written));
                clean.push(Sketched::Secret(Secret { written: written.into(), ..secret }));
                kept = end;
            }
        }
        clean.push(Sketched::Text(whole[kept..place.end].to_owned()));
    }
    clean.retain(|piece| !matches!(piece, Sketched::Text(text) if text.is_empty()));
    clean
}

fn push_pair(url: &mut Vec<Sketched>, name: &str, value: Vec<Sketched>, is_first: &mut bool) {
    let between = if std::mem::take(is_first) { "?" } else { "&" };
    url.push(Sketched::Text(format!("{between}{}=", encode::url(name))));
    url.extend(value.into_iter().map(|piece| piece.encoded(Spelling::Percent, encode::url)));
}
