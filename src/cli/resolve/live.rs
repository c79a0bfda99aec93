//! `trimtab resolve --live`: what running servers answer, with the health that they see and what is
//! forced there.

use serde_json::{Value, json};

use super::text;
use crate::app::explain::{From, Question, Told};
use crate::cli::client::{Call, Fleet, Servers, Told as Said, Trouble, block_on};
use crate::cli::{Failure, show};

/// Asks all servers, and tells what each of them would answer.
///
/// # Errors
/// Not all have an answer.
pub(in crate::cli) fn live(
    question: &Question,
    down: &[String],
    servers: &Servers,
) -> Result<(), Failure> {
    let call = Call::post(&["explain"], body(question, down));
    let fleet = Fleet::of(servers)?;
    let mut all = block_on(fleet.all(|server| {
        let call = call.clone();
        async move { server.ask::<Told>(&call).await }
    }))?;
    let unanswered = all.iter().any(|said| refusal(said).is_some());
    if !servers.json {
        // Programs read it from what was told.
        for said in &mut all {
            if let Some(refused) = refusal(said) {
                said.said = Err(Trouble::Strange(refused));
            }
        }
    }
    show::print(&all, servers.json, |_, told, _| text::render(told, true))?;
    if unanswered { Err(Failure::Told(1)) } else { Ok(()) }
}

/// Why the question is not answered at all.
fn refusal(said: &Said<Told>) -> Option<String> {
    said.said.as_ref().ok().and_then(|told| told.refused.clone())
}

/// The question, as the API has it.
fn body(question: &Question, down: &[String]) -> Value {
    let from = question.from.map(|from| match from {
        From::Source(address) => address.to_string(),
        From::ClientSubnet(prefix) => prefix.to_string(),
    });
    let mut body = json!({
        "name": question.name.to_string(),
        "type": question.qtype.to_string(),
        "down": down,
    });
    if let (Some(from), Some(fields)) = (from, body.as_object_mut()) {
        fields.insert("from".into(), from.into());
    }
    body
}

#[cfg(test)]
mod tests {
    use domain::base::iana::Rtype;

    use super::*;
    use crate::cli::client::fake::{Act, Fake, servers};
    use crate::wire::Name;

    fn asks(told: Value) -> (Result<(), Failure>, Value) {
        let fake = Fake::start(move |_, _| Act::Json(200, told.clone()));
        let name = Name::from_text("app.site.test").unwrap();
        let from = Some("192.0.2.0/24".parse().unwrap());
        let question = Question { name, qtype: Rtype::AAAA, from };
        // What is printed for programs is not told of twice.
        let servers = Servers { json: true, ..servers(&[&fake.url()]) };
        let done = live(&question, &["a".into()], &servers);
        let asked = &fake.asked()[0];
        assert_eq!(asked.line, "POST /api/v1/explain");
        (done, asked.body.clone())
    }

    #[test]
    fn a_server_is_asked_and_what_it_refuses_is_no_success() {
        let mut told = json!({
            "name": "app.site.test", "type": "AAAA", "from": null, "down": [], "chain": [], "anew": false,
            "reply": null, "dynamic": null, "explanation": null, "keeps_to": null,
        });
        let (done, body) = asks(told.clone());
        assert!(done.is_ok(), "{done:?}");
        let wanted = json!({
            "name": "app.site.test", "type": "AAAA", "down": ["a"], "from": "192.0.2.0/24",
        });
        assert_eq!(body, wanted);
        told["refused"] = json!("app.site.test is in none of the zones served");
        let (done, _) = asks(told);
        assert!(matches!(done, Err(Failure::Told(1))), "{done:?}");
    }
}
