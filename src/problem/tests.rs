//! Floods of problems, and problems far down in long texts.

use super::*;

fn at(line: usize, severity: Severity) -> Problem {
    let place = Place::Line { path: "z".into(), line, column: 1 };
    Problem { severity, ..Problem::error(place, "z", "f", "w") }
}

#[test]
fn a_flood_is_cut_but_an_error_stays() {
    let mut problems = Problems::default();
    for line in 0..2 * MOST {
        problems.push(at(line, Severity::Warning));
    }
    assert_eq!((problems.0.len(), problems.errors()), (MOST + 1, 0));
    assert_eq!(problems.0[MOST].found, "more than 1000 problems");
    let mut more = Problems::default();
    more.extend(problems);
    more.push(at(7, Severity::Error));
    more.push(at(8, Severity::Error));
    assert_eq!((more.0.len(), more.errors()), (MOST + 1, 1));
    assert_eq!(more.0[0], at(7, Severity::Error));
}

#[test]
fn a_report_of_some_lines_is_that_of_the_whole_text() {
    let text = format!("{}a = [\n  1,\n  \"ü\",\n]\nb = 2", "x = 1\n".repeat(98));
    let source = Arc::new(Source { path: "t.toml".into(), text });
    let start = source.text.find("a = [").unwrap();
    let whole = |span: Range<usize>| {
        let annotation = AnnotationKind::Primary.span(span).label("wanted w");
        let snippet = Snippet::source(&*source.text).path("t.toml").annotation(annotation);
        let group = Level::ERROR.primary_title("k: found f").element(snippet);
        Renderer::plain().render(&[group]).to_string()
    };
    for span in [0..0, 0..1, 0..3, 4..19, 5..6, 11..12, 22..23, 26..26] {
        let span = start + span.start..start + span.end;
        let place = Place::Span(Arc::clone(&source), span.clone());
        assert_eq!(Problem::error(place, "k", "f", "w").render(false), whole(span));
    }
}
