//! `jwt::`: tokens that a script signs or looks into. The rules are those of `auth: jwt`.

use rhai::Dynamic;

use crate::ground::encode;
use crate::ground::jws;
use crate::ground::value::Map;
use crate::parts::script::api::{Call, Entry};
use crate::parts::script::run::Answer;
use crate::parts::script::value::{to_dynamic, to_value};

pub(in crate::parts::script) const TABLE: &[Entry] = &[
    Entry::new("sign", &["claims", "key", "alg"], "a signed JWT; the key is a secret, PEM or a JWK", sign)
        .deriving(),
    Entry::new(
        "sign",
        &["claims", "key", "alg", "header"],
        "the same with further members of the header, such as #{ kid: \"k1\" }",
        sign,
    )
    .deriving(),
    Entry::new("decode", &["token"], "a JWT's #{ header, claims }; its signature is not checked", decode),
    Entry::new(
        "verify",
        &["token", "key", "alg"],
        "whether a JWT is signed with this key and algorithm; a text that is not a JWT, or a key that cannot be used, is an error",
        verify,
    ),
];

fn sign(call: &mut Call) -> Answer {
    let claims = call.take(0);
    let (key, alg) = (call.text(1)?, call.text(2)?);
    let claims = to_value(&claims, None)?;
    // Where nobody gives one it is null, which adds nothing.
    let header = to_value(&call.take(3), None)?;
    call.run.note_deep("", &claims);
    let token = jws::sign(&claims, &header, &key, &alg);
    let token = token.map_err(|why| call.error(format!("cannot sign: {why}")))?;
    call.run.note_secret("jwt", &token.as_str().into());
    Ok(token.into())
}

fn decode(call: &mut Call) -> Answer {
    let token = call.text(0)?;
    let parts = encode::jwt_decode(&token);
    let (header, claims) = parts.map_err(|_| call.error("was given a text that is not a JWT"))?;
    let parts: Map = [("header".into(), header), ("claims".into(), claims)].into_iter().collect();
    Ok(to_dynamic(&parts.into()))
}

fn verify(call: &mut Call) -> Answer {
    let (token, key, alg) = (call.text(0)?, call.text(1)?, call.text(2)?);
    match jws::verify(&token, &key, Some(&alg)) {
        Ok(_) => Ok(Dynamic::TRUE),
        Err(why) if why.is_refusal() => Ok(Dynamic::FALSE),
        Err(why) => Err(call.error(format!("cannot verify: {why}"))),
    }
}
