//! Formats an article as text for a terminal, or as Markdown.

use std::fmt::Write;

use crate::{
    registry::notation::one_line,
    render::{Paint, markdown::escaped},
};

use super::{Article, Block, Item};

/// The width of text on a terminal, in columns.
const WIDTH: usize = 100;

/// Formats the article as text for a terminal. Paragraphs and lists are broken into lines of at most 100 columns, but
/// `.reg` notation, commands and long words are not.
pub fn human(article: &Article, paint: Paint) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", paint.bold(&one_line(&article.id)));
    wrap(&one_line(&article.title), "", "", &mut out);
    for section in &article.sections {
        let _ = writeln!(out, "\n{}", paint.bold(&section.heading.to_uppercase()));
        for block in &section.blocks {
            match block {
                Block::Text(text) => wrap(&one_line(text), "  ", "  ", &mut out),
                Block::Code(text) => {
                    for line in text.lines() {
                        let line = if line.starts_with("; ") { paint.head(line) } else { line.to_owned() };
                        let _ = writeln!(out, "{}", format!("    {line}").trim_end());
                    }
                }
                Block::List(items) => items.iter().for_each(|item| human_item(item, &mut out)),
            }
        }
    }
    out
}

fn human_item(item: &Item, out: &mut String) {
    let mut text = one_line(&joined(&item.name, &item.text));
    if let Some(url) = &item.url {
        let _ = write!(text, " <{}>", one_line(url));
    }
    let indent = "  ".repeat(item.depth + 1);
    wrap(&text, &format!("{indent}- "), &format!("{indent}  "), out);
}

fn joined(name: &str, text: &str) -> String {
    match (name.is_empty(), text.is_empty()) {
        (true, _) => text.to_owned(),
        (false, true) => name.to_owned(),
        (false, false) => format!("{name}: {text}"),
    }
}

/// Breaks text into lines between words, and adds them to `out`. `first` precedes the first line, and `rest` every
/// other line. A word that is longer than a line is not broken, so that paths and digests can be copied.
fn wrap(text: &str, first: &str, rest: &str, out: &mut String) {
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{line}");
            line = rest.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(out, "{line}");
}

/// Formats the article as GitHub-flavoured Markdown.
pub fn markdown(article: &Article) -> String {
    let mut out = format!("# {}: {}\n", escaped(&article.id), escaped(&article.title));
    for section in &article.sections {
        let _ = write!(out, "\n## {}\n", section.heading);
        for block in &section.blocks {
            out.push('\n');
            match block {
                Block::Text(text) => {
                    let _ = writeln!(out, "{}", escaped(text));
                }
                Block::Code(text) => {
                    // A code fence inside the text would end the block.
                    let text = text.trim_end().replace("```", "`\u{200b}``");
                    let _ = writeln!(out, "```ini\n{text}\n```");
                }
                Block::List(items) => items.iter().for_each(|item| markdown_item(item, &mut out)),
            }
        }
    }
    out
}

fn markdown_item(item: &Item, out: &mut String) {
    let name = if item.name.is_empty() { String::new() } else { format!("**{}**", escaped(&item.name)) };
    let mut text = joined(&name, &escaped(&item.text));
    if let Some(url) = &item.url {
        let _ = write!(text, " <{}>", one_line(url).replace(['<', '>'], ""));
    }
    let _ = writeln!(out, "{}- {text}", "  ".repeat(item.depth));
}
