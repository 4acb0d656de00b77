//! Two ways to the same server, against each other: what the proxy changes, if anything.
//!
//! From HTTP on, every step should go alike and show the same lasting facts. TLS is the proxy's own and is left out. A step
//! that goes worse through the proxy is its failure; a fact that differs is worth a look, as a server may change its mind.

use super::course::Walked;
use super::step::{Outcome, Step, Verdict};

/// Compared as they say the same of the same server by any way.
const STEPS: [&str; 11] = [
    "systeminfo",
    "nodes",
    "desktop",
    "upgrade",
    "xmpp",
    "login",
    "bind",
    "presence",
    "subscription",
    "ping",
    "logout",
];

/// The step that compares.
pub(super) fn compare(direct: &Walked, through: &Walked) -> Step {
    let mut outcome = Outcome::ok("");
    let [mut worse, mut other, mut same] = [0; 3];
    for name in STEPS {
        let (Some(one), Some(two)) = (direct.step(name), through.step(name)) else {
            if direct.step(name).is_some() {
                worse += 1;
                outcome = outcome.passing(name, "not reached through the proxy");
            }
            continue;
        };
        // What was not tried says nothing about the proxy.
        if one.verdict == Verdict::Skipped || two.verdict == Verdict::Skipped {
            continue;
        }
        let differences: Vec<String> = differences(one, two).collect();
        if one.verdict != two.verdict {
            worse += usize::from(one.verdict.worse(two.verdict) != one.verdict);
            other += usize::from(one.verdict.worse(two.verdict) == one.verdict);
            let said =
                format!("{} directly, {} through the proxy: {}", one.verdict.as_str(), two.verdict.as_str(), two.seen);
            outcome = outcome.passing(name, said);
        } else if differences.is_empty() {
            same += 1;
        } else {
            other += 1;
        }
        for difference in differences {
            outcome = outcome.passing(name, difference);
        }
    }
    let facts = outcome.into_facts();
    let times: Vec<String> = ["systeminfo", "upgrade", "ping"]
        .into_iter()
        .filter_map(|name| Some(format!("{name} {}", slower(direct.step(name)?, through.step(name)?))))
        .collect();
    let outcome = if worse > 0 {
        let advice = "run the proxy with --log-filter debug and look at its capture: the steps above went wrong in it, or \
                      behind it on the way it takes";
        Outcome::fail(format!("{worse} steps go worse through the proxy"), advice)
    } else if same + other == 0 {
        Outcome::skipped("there is nothing to compare")
    } else if other > 0 {
        let advice = "the proxy changes no byte: does it lead to the same server?";
        Outcome::warn(format!("{other} steps differ, {same} are the same"), advice)
    } else {
        Outcome::ok(format!("{same} steps are the same directly and through the proxy"))
    };
    let outcome = if times.is_empty() { outcome } else { outcome.passing("times", times.join(", ")) };
    outcome.with(facts).into_step("compared", 0)
}

fn differences<'s>(one: &'s Step, two: &'s Step) -> impl Iterator<Item = String> + 's {
    let missing = |value: Option<&str>| value.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"));
    let in_either = one.facts.iter().chain(two.facts.iter().filter(|fact| one.fact(fact.name).is_none()));
    in_either.filter(|fact| fact.lasting && one.fact(fact.name) != two.fact(fact.name)).map(move |fact| {
        let [direct, through] = [one, two].map(|step| missing(step.fact(fact.name)));
        format!("{} is {direct} directly, {through} through the proxy", fact.name)
    })
}

fn slower(direct: &Step, through: &Step) -> String {
    let ms = |us: u64| us as f64 / 1_000.0;
    format!("{:+.1} ms", ms(through.took_us) - ms(direct.took_us))
}

#[cfg(test)]
mod tests {
    use super::super::Way;
    use super::*;

    fn walked(steps: Vec<Step>) -> Walked {
        Walked { way: Way::Direct, steps, pin: None, trusted: true, system: None }
    }

    fn step(name: &'static str, outcome: Outcome) -> Step {
        outcome.into_step(name, 1_000)
    }

    #[test]
    fn the_same_is_the_same_whatever_passes() {
        let one = walked(vec![step("desktop", Outcome::ok("200").fact("server", "x").passing("clock", "1"))]);
        let two = walked(vec![step("desktop", Outcome::ok("200").fact("server", "x").passing("clock", "2"))]);
        assert_eq!(compare(&one, &two).verdict, Verdict::Ok);
    }

    #[test]
    fn what_differs_is_named_and_what_goes_worse_fails() {
        let one =
            walked(vec![step("desktop", Outcome::ok("").fact("server", "x")), step("upgrade", Outcome::ok("101"))]);
        let other =
            walked(vec![step("desktop", Outcome::ok("").fact("server", "y")), step("upgrade", Outcome::ok("101"))]);
        let differs = compare(&one, &other);
        assert_eq!(differs.verdict, Verdict::Warn);
        assert_eq!(differs.fact("desktop"), Some("server is `x` directly, `y` through the proxy"));
        let refused = walked(vec![
            step("desktop", Outcome::ok("").fact("server", "x")),
            step("upgrade", Outcome::fail("400", "")),
        ]);
        let worse = compare(&one, &refused);
        assert_eq!(worse.verdict, Verdict::Fail);
        assert!(worse.fact("upgrade").unwrap().starts_with("ok directly, fail through"));
        assert_eq!(compare(&one, &walked(Vec::new())).verdict, Verdict::Fail);
    }
}
