//! What a plan does next, from what is seen. Pure: time and sight in, a step out.

use crate::model::{Drill, Moment, Plan, Shift, Task};

/// What is seen of what a plan depends on.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::control) struct Seen {
    /// How those are that answers go to.
    pub(in crate::control) others: Condition,
    /// What the query that may give it up came to.
    pub(in crate::control) query: Queried,
    /// The overrides that stand where it does something.
    pub(in crate::control) overridden: Vec<u64>,
}

/// How pools are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::control) enum Condition {
    /// All are up, and nothing of them fails.
    #[default]
    Well,
    /// One of them is not down, but not just up either: which, and why.
    Doubt(String),
    /// One of them is down: which.
    Down(String),
}

/// What a query came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::control) enum Queried {
    /// There is none.
    #[default]
    None,
    /// It has not been answered since the stage began.
    Waiting,
    /// Nothing is beyond the bound.
    Quiet,
    /// It cannot be asked: why.
    Missing(String),
    /// Something is: what.
    Beyond(String),
}

/// What a plan does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::control) enum Step {
    /// Nothing; what it waits for, if for anything but time.
    Stay(Option<String>),
    /// Its next stage.
    Next,
    /// It is given up: why.
    Abort(String),
    /// A drill has lasted its time, and the region returns.
    Return,
    /// It is over.
    End,
}

/// What a plan does next.
pub(in crate::control) fn step(plan: &Plan, now: Moment, seen: &Seen) -> Step {
    if let Queried::Beyond(what) = &seen.query
        && !is_returned(plan)
    {
        return Step::Abort(format!("the query is beyond its bound: {what}"));
    }
    match &plan.task {
        Task::Shift(shift) => shift_step(shift, now, seen),
        Task::Drill(drill) => drill_step(drill, now, plan.since, seen),
        // It goes by the clock alone.
        Task::Window(_) => Step::Stay(None),
    }
}

fn is_returned(plan: &Plan) -> bool {
    matches!(&plan.task, Task::Drill(drill) if drill.returned.is_some())
}

fn shift_step(shift: &Shift, now: Moment, seen: &Seen) -> Step {
    if let Condition::Down(what) = &seen.others {
        return Step::Abort(what.clone());
    }
    if let [first, ..] = seen.overridden.as_slice() {
        return Step::Stay(Some(format!("override {first} stands where it shifts")));
    }
    if shift.is_last() {
        return Step::Stay(Some("its last stage is reached: finish or abort it".into()));
    }
    if shift.paused {
        return Step::Stay(Some("it is paused".into()));
    }
    if shift.manual {
        return Step::Stay(Some("each stage waits for an operator: advance".into()));
    }
    if now < shift.due() {
        return Step::Stay(None);
    }
    if let Condition::Doubt(what) = &seen.others {
        return Step::Stay(Some(what.clone()));
    }
    match &seen.query {
        Queried::Waiting => Step::Stay(Some("the query has not been answered yet".into())),
        Queried::Missing(why) => Step::Stay(Some(format!("the query cannot be asked: {why}"))),
        Queried::None | Queried::Quiet | Queried::Beyond(_) => Step::Next,
    }
}

fn drill_step(drill: &Drill, now: Moment, since: Moment, seen: &Seen) -> Step {
    if let Some(returned) = drill.returned {
        return match now >= returned.after(drill.after) {
            true => Step::End,
            false => Step::Stay(Some("it has returned, and is watched for a while".into())),
        };
    }
    if let Condition::Down(what) | Condition::Doubt(what) = &seen.others {
        return Step::Abort(what.clone());
    }
    if now >= since.after(drill.lasts) {
        return Step::Return;
    }
    match &seen.query {
        Queried::Missing(why) => Step::Stay(Some(format!("the query cannot be asked: {why}"))),
        _ => Step::Stay(None),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rstest::rstest;

    use super::*;
    use crate::model::Findings;

    fn shift() -> Shift {
        Shift {
            from: "a".into(),
            to: "b".into(),
            record: None,
            stages: vec![0.25, 0.5, 1.0],
            every: Duration::from_secs(60),
            manual: false,
            at: 0,
            entered: Moment(0),
            paused: false,
        }
    }

    fn plan(task: Task) -> Plan {
        Plan {
            id: 1,
            task,
            actor: "alice".into(),
            reason: None,
            since: Moment(0),
            abort_when: None,
            ended: None,
        }
    }

    fn doubt() -> Condition {
        Condition::Doubt("b is in doubt".into())
    }

    fn down() -> Condition {
        Condition::Down("b is down".into())
    }

    /// What it comes to after so many seconds, in a word.
    fn after(secs: u64, task: Task, seen: &Seen) -> String {
        match step(&plan(task), Moment(secs * 1000), seen) {
            Step::Stay(None) => "stay".into(),
            Step::Stay(Some(why)) => format!("waits: {why}"),
            Step::Next => "next".into(),
            Step::Abort(why) => format!("abort: {why}"),
            Step::Return => "return".into(),
            Step::End => "end".into(),
        }
    }

    #[rstest]
    #[case::in_time(59, Condition::Well, Queried::None, "stay")]
    #[case::due(60, Condition::Well, Queried::None, "next")]
    #[case::in_doubt(60, doubt(), Queried::Quiet, "waits: b is in doubt")]
    #[case::in_doubt_before(59, doubt(), Queried::Quiet, "stay")]
    #[case::down(1, down(), Queried::Quiet, "abort: b is down")]
    #[case::not_asked(
        60,
        Condition::Well,
        Queried::Waiting,
        "waits: the query has not been answered yet"
    )]
    #[case::cannot_be_asked(
        60,
        Condition::Well,
        Queried::Missing("refused".into()),
        "waits: the query cannot be asked: refused"
    )]
    #[case::beyond(
        1,
        Condition::Well,
        Queried::Beyond("0.2 > 0.05".into()),
        "abort: the query is beyond its bound: 0.2 > 0.05"
    )]
    fn a_shift_goes_on(
        #[case] secs: u64,
        #[case] others: Condition,
        #[case] query: Queried,
        #[case] wanted: &str,
    ) {
        let seen = Seen { others, query, overridden: Vec::new() };
        assert_eq!(after(secs, Task::Shift(shift()), &seen), wanted);
    }

    #[test]
    fn a_shift_waits_for_operators() {
        let well = Seen::default();
        let of = |shift: Shift, seen: &Seen| after(60, Task::Shift(shift), seen);
        assert!(of(Shift { paused: true, ..shift() }, &well).contains("paused"));
        assert!(of(Shift { manual: true, ..shift() }, &well).contains("operator"));
        assert!(of(Shift { at: 2, ..shift() }, &well).contains("last stage"));
        // Whatever it waits for, it is given up when it has to be.
        let bad = Seen { others: down(), ..Seen::default() };
        for waits in [
            Shift { paused: true, ..shift() },
            Shift { manual: true, ..shift() },
            Shift { at: 2, ..shift() },
        ] {
            assert_eq!(of(waits, &bad), "abort: b is down");
        }
        let overridden = Seen { overridden: vec![7], ..Seen::default() };
        assert_eq!(of(shift(), &overridden), "waits: override 7 stands where it shifts");
        assert_eq!(of(shift(), &Seen { overridden: vec![7], ..bad }), "abort: b is down");
    }

    #[test]
    fn a_drill_ends_by_itself() {
        let drill = Drill {
            region: "a".into(),
            record: None,
            share: 0.1,
            lasts: Duration::from_secs(600),
            returned: None,
            aborted: None,
            known: Vec::new(),
            after: Duration::from_secs(60),
            found: Findings::default(),
        };
        let well = Seen::default();
        assert_eq!(after(599, Task::Drill(drill.clone()), &well), "stay");
        assert_eq!(after(600, Task::Drill(drill.clone()), &well), "return");
        let bad = Seen { others: doubt(), ..Seen::default() };
        assert_eq!(after(1, Task::Drill(drill.clone()), &bad), "abort: b is in doubt");
        let returned = Drill { returned: Some(Moment(600_000)), ..drill };
        // What comes of it then is no cause to give up what is over.
        let beyond = Seen { query: Queried::Beyond("1 > 0".into()), ..bad };
        assert!(after(659, Task::Drill(returned.clone()), &beyond).starts_with("waits"));
        assert_eq!(after(660, Task::Drill(returned), &beyond), "end");
    }
}
