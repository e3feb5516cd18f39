//! A workflow as a Mermaid flowchart: what follows what, what is skipped, what jumps, what runs
//! whatever happened; on request also which step reads what another one found.
//!
//! It is drawn from what was written and nothing else: templates stand in it as templates, so that
//! no value, and no secret, can.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::document::workflow::{Action, Step, Workflow};
use crate::ground::diagnostic::visible;
use crate::parts::http::{RequestDefaults, RequestSpec};
use crate::parts::script::Script;

/// How many characters of a text stand in a box.
const LONGEST: usize = 100;

/// Draws a workflow; with its variables, an arrow for each that goes from step to step.
#[must_use]
pub fn graph(workflow: &Workflow, with_variables: bool) -> String {
    let mut chart = Chart { text: "flowchart TD\n".to_owned(), depth: 1, defaults: &workflow.defaults };
    chart.node("begin", ("([", "])"), &[&workflow.name]);
    let mut loose = chart.steps(&workflow.steps, vec![Loose::from("begin", None)]);
    if !workflow.finally.is_empty() {
        let always =
            loose.into_iter().map(|loose| Loose { label: loose.label.or(Some("in any case")), ..loose });
        let always = always.collect();
        loose = chart.group("finally_steps", "finally", |chart| chart.steps(&workflow.finally, always));
    }
    chart.node("done", ("([", "])"), &["end"]);
    chart.join(loose, "done");
    chart.jumps(workflow);
    if with_variables {
        chart.variables(workflow);
    }
    chart.text
}

/// The text so far.
struct Chart<'w> {
    text: String,
    depth: usize,
    defaults: &'w RequestDefaults,
}

/// An arrow that has begun and waits for where it leads.
#[derive(Clone)]
struct Loose {
    from: String,
    label: Option<&'static str>,
}

impl Loose {
    fn from(node: &str, label: Option<&'static str>) -> Self {
        Self { from: node.to_owned(), label }
    }
}

impl Chart<'_> {
    /// Draws steps one after another; gives back the arrows that leave the last.
    fn steps(&mut self, steps: &[Arc<Step>], loose: Vec<Loose>) -> Vec<Loose> {
        steps.iter().fold(loose, |loose, step| self.step(step, loose))
    }

    /// A step with `when` stands behind a question, and an arrow passes it by.
    fn step(&mut self, step: &Step, loose: Vec<Loose>) -> Vec<Loose> {
        let Some(when) = &step.when else { return self.action(step, loose) };
        let question = format!("when_{}", step.id);
        self.node(&question, ("{", "}"), &[&when.to_string()]);
        self.join(loose, &question);
        let mut loose = self.action(step, vec![Loose::from(&question, Some("true"))]);
        loose.push(Loose::from(&question, Some("false")));
        loose
    }

    fn action(&mut self, step: &Step, loose: Vec<Loose>) -> Vec<Loose> {
        let shape = match &step.action {
            Action::Request(_) => ("[", "]"),
            Action::Uses(_) => ("[[", "]]"),
            Action::Script(_) => ("(", ")"),
            Action::Parallel(steps) => return self.parallel(step, steps, &loose),
        };
        let node = node_of(&step.id);
        let lines = lines(step, self.defaults);
        self.node(&node, shape, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        self.join(loose, &node);
        vec![Loose::from(&node, None)]
    }

    /// Steps at once: every arrow that comes in goes to each, and each goes on.
    fn parallel(&mut self, step: &Step, steps: &[Arc<Step>], loose: &[Loose]) -> Vec<Loose> {
        let title = lines(step, self.defaults).join(", ");
        self.group(&node_of(&step.id), &title, |chart| {
            steps.iter().flat_map(|step| chart.step(step, loose.to_vec())).collect()
        })
    }

    /// Draws into a frame of its own.
    fn group<T>(&mut self, id: &str, title: &str, draw: impl FnOnce(&mut Self) -> T) -> T {
        self.line(&format!("subgraph {id} [\"{}\"]", label(title)));
        self.depth += 1;
        let drawn = draw(self);
        self.depth -= 1;
        self.line("end");
        drawn
    }

    /// A script's `next("id")`, as far as its text says which.
    fn jumps(&mut self, workflow: &Workflow) {
        let known = |id: &Arc<str>| workflow.all_steps().any(|step| step.id == *id);
        for step in workflow.all_steps() {
            let said = scripts(step).flat_map(Script::jumps).map(|(id, _)| id);
            let mut targets: Vec<Arc<str>> = said.filter(known).collect();
            targets.sort_unstable();
            targets.dedup();
            for target in targets {
                self.line(&format!("{} -.->|next| {}", node_of(&step.id), node_of(&target)));
            }
        }
    }

    /// An arrow for the values that one step found and another reads.
    fn variables(&mut self, workflow: &Workflow) {
        let mut found: HashMap<&str, &str> = HashMap::new();
        for step in workflow.all_steps() {
            let mut arrows: Vec<(String, Vec<String>)> = Vec::new();
            for name in read_by(step) {
                let Some((from, value)) = source_of(&name, &found) else { continue };
                if from == &*step.id {
                    continue;
                }
                match arrows.iter_mut().find(|(known, _)| known == from) {
                    Some((_, values)) if values.iter().any(|known| known == value) => {}
                    Some((_, values)) => values.push(value.to_owned()),
                    None => arrows.push((from.to_owned(), vec![value.to_owned()])),
                }
            }
            for (from, values) in arrows {
                let values = label(&values.join(", "));
                self.line(&format!("{} -.->|\"{values}\"| {}", node_of(&from), node_of(&step.id)));
            }
            let set = step.extract.iter().map(|extract| &*extract.name.value);
            found.extend(set.chain(scripts(step).flat_map(Script::assigns)).map(|name| (name, &*step.id)));
        }
    }

    fn join(&mut self, loose: Vec<Loose>, to: &str) {
        for Loose { from, label } in loose {
            let said = label.map(|label| format!("|{label}|")).unwrap_or_default();
            self.line(&format!("{from} -->{said} {to}"));
        }
    }

    fn node(&mut self, id: &str, (open, close): (&str, &str), lines: &[&str]) {
        let text: Vec<String> = lines.iter().map(|line| label(line)).collect();
        self.line(&format!("{id}{open}\"{}\"{close}", text.join("<br/>")));
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{:indent$}{line}", "", indent = self.depth * 4);
    }
}

/// A word of Mermaid's, such as `end`, is no name of a node; a step may have it as its id.
fn node_of(id: &str) -> String {
    format!("step_{id}")
}

/// What stands in a step's box.
fn lines(step: &Step, defaults: &RequestDefaults) -> Vec<String> {
    let mut lines = vec![step.id.to_string()];
    if step.name != step.id {
        lines.push(step.name.to_string());
    }
    match &step.action {
        Action::Request(request) => lines.push(request_line(request, defaults)),
        Action::Uses(uses) => {
            let file = uses.workflow.path().file_name().unwrap_or_default();
            lines.push(format!("uses {}", file.to_string_lossy()));
        }
        Action::Script(_) => lines.push("script".to_owned()),
        Action::Parallel(_) => lines.push("parallel".to_owned()),
    }
    lines.extend(step.for_each.iter().map(|each| format!("for each {}", each.name.value)));
    lines.extend(step.repeat.iter().map(|repeat| format!("repeat {repeat}")));
    if let Some(retry) = &step.retry {
        lines.push(format!("retry {}", retry.max));
    }
    lines
}

fn request_line(request: &RequestSpec, defaults: &RequestDefaults) -> String {
    let (method, url) = request.line(defaults);
    format!("{method} {}", path(url))
}

/// The path of a URL as it was written: neither its origin, where credentials may stand, nor its
/// query, where keys may. What is a template alone stays one.
fn path(url: &str) -> &str {
    let behind = match url.find("://") {
        Some(at) if !url[..at].contains("{{") => {
            outside(&url[at + 3..], &['/', '?', '#']).map(|from| at + 3 + from)
        }
        _ if url.starts_with("{{") => outside(url, &['/', '?', '#']),
        _ => Some(0),
    };
    let rest = match behind {
        Some(at) => &url[at..],
        None if url.starts_with("{{") => return url,
        None => "/",
    };
    let end = outside(rest, &['?', '#']).unwrap_or(rest.len());
    if end == 0 { "/" } else { &rest[..end] }
}

/// Where one of these characters first stands outside of a template.
fn outside(text: &str, wanted: &[char]) -> Option<usize> {
    let mut within = 0_usize;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => within += 1,
            '}' => within = within.saturating_sub(1),
            c if within == 0 && wanted.contains(&c) => return Some(at),
            _ => {}
        }
        None
    })
}

fn scripts(step: &Step) -> impl Iterator<Item = &Script> {
    [step.before.as_ref(), step.action.script(), step.after.as_ref()].into_iter().flatten()
}

/// Every name that a step reads, in templates and in scripts.
fn read_by(step: &Step) -> Vec<String> {
    let mut names = Vec::new();
    step.reads(&mut |mention| names.push(mention.path.to_owned()));
    names.extend(scripts(step).flat_map(Script::reads).map(|(name, _)| name.to_string()));
    names
}

/// The step that a name comes from, and what of it is read.
fn source_of<'n>(name: &'n str, found: &HashMap<&'n str, &'n str>) -> Option<(&'n str, &'n str)> {
    if let Some(of_step) = name.strip_prefix("steps.") {
        return Some(of_step.split_once('.').unwrap_or((of_step, "verdict")));
    }
    let variable = name.split('.').next().unwrap_or(name);
    found.get(variable).map(|step| (*step, variable))
}

/// A text as it may stand in quotes: what Mermaid would take for markup, entities, formulas or
/// directives stands as an entity of its own.
fn label(text: &str) -> String {
    let text = visible(text);
    let mut label = String::with_capacity(text.len());
    for c in text.trim().chars().take(LONGEST) {
        match c {
            '\n' | '\t' => label.push(' '),
            '"' | '#' | '<' | '>' | '&' | '`' | '%' | '$' | '\\' => {
                let _ = write!(label, "#{};", c as u32);
            }
            c => label.push(c),
        }
    }
    if text.trim().chars().nth(LONGEST).is_some() {
        label.push('…');
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::source::Source;

    fn drawn(text: &str, with_variables: bool) -> String {
        let workflow = Workflow::parse(&Source::text("flow.yaml", text));
        graph(&workflow.unwrap_or_else(|problems| panic!("{problems}")), with_variables)
    }

    #[test]
    fn steps_follow_each_other_and_a_question_can_be_passed_by() {
        let text = "name: shop\ninputs: { api: https://a.example, more: true }\ndefaults: { method: PUT }\nsteps:\n\
                    - { id: end, name: log in, request: '{{ api }}/login?key=1', retry: 2 }\n\
                    - { when: '{{ more }}', script: 'next(\"end\")' }\n\
                    finally:\n- { id: out, request: 'GET https://a.example:8443/out' }\n";
        assert_eq!(
            drawn(text, false),
            "flowchart TD
    begin([\"shop\"])
    step_end[\"end<br/>log in<br/>PUT /login<br/>retry 2\"]
    begin --> step_end
    when_step2{\"{{ more }}\"}
    step_end --> when_step2
    step_step2(\"step2<br/>script\")
    when_step2 -->|true| step_step2
    subgraph finally_steps [\"finally\"]
        step_out[\"out<br/>GET /out\"]
        step_step2 -->|in any case| step_out
        when_step2 -->|false| step_out
    end
    done([\"end\"])
    step_out --> done
    step_step2 -.->|next| step_end
"
        );
    }

    #[test]
    fn what_a_step_found_leads_to_whoever_reads_it() {
        let text = "inputs: { api: https://a.example }\nsteps:\n\
                    - id: a\n  request: 'GET {{ api }}/'\n  extract: { x: $.x, y: $.y }\n\
                    - id: b\n  request: 'GET {{ api }}/{{ x }}/{{ y }}/{{ x }}'\n  extract: { x: $.x }\n\
                    - id: c\n  script: |\n    // vars.z is not read\n    print(vars.x);\n\
                    - id: d\n  when: \"{{ steps.b.status == 200 }}\"\n  request: 'GET {{ api }}/'\n  expect: { that: \"{{ y }}\" }\n";
        let chart = drawn(text, true);
        let dotted: Vec<&str> = chart.lines().map(str::trim).filter(|line| line.contains("-.->")).collect();
        assert_eq!(
            dotted,
            [
                "step_a -.->|\"x, y\"| step_b",
                "step_b -.->|\"x\"| step_c",
                "step_b -.->|\"status\"| step_d",
                "step_a -.->|\"y\"| step_d"
            ]
        );
    }

    #[test]
    fn of_a_url_only_the_path_is_drawn() {
        for (url, expected) in [
            ("{{ api }}/a/{{ id }}?key=secret", "/a/{{ id }}"),
            ("https://user:secret@h.example/a#b", "/a"),
            ("https://h.example", "/"),
            ("https://{{ host | default('a/b') }}?x=1", "/"),
            ("{{ next_url }}", "{{ next_url }}"),
            ("{{ api }}?x={{ y }}", "/"),
            ("/relative/{{ a or '?' }}", "/relative/{{ a or '?' }}"),
        ] {
            assert_eq!(path(url), expected, "{url}");
        }
    }

    #[test]
    fn no_text_leaves_its_label() {
        assert_eq!(label("a\"] --> b\n%%{init}%%"), "a#34;] --#62; b #37;#37;{init}#37;#37;");
        assert_eq!(
            label("<b>&amp;</b> `x` $$y$$ #1 \\n"),
            "#60;b#62;#38;amp;#60;/b#62; #96;x#96; #36;#36;y#36;#36; #35;1 #92;n"
        );
        assert_eq!(label(&"ä".repeat(101)), format!("{}…", "ä".repeat(100)));
    }
}
