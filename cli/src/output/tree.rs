//! Trees with branches drawn.

use super::Page;

/// A line with what belongs below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    /// The line.
    pub(crate) line: String,
    /// What belongs below it.
    pub(crate) below: Vec<Tree>,
}

impl Tree {
    /// A line with nothing below it.
    pub(crate) fn leaf(line: impl Into<String>) -> Self {
        Self {
            line: line.into(),
            below: Vec::new(),
        }
    }

    /// The same with more below it.
    pub(crate) fn with(mut self, below: impl IntoIterator<Item = Self>) -> Self {
        self.below.extend(below);
        self
    }

    /// As text, every line ended.
    pub(crate) fn render(&self) -> String {
        let mut out = Page::default();
        out.line(&self.line);
        self.branches("", &mut out);
        out.to_string()
    }

    fn branches(&self, indent: &str, out: &mut Page) {
        let last = self.below.len().saturating_sub(1);
        for (place, child) in self.below.iter().enumerate() {
            let (branch, next) = if place == last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            out.line(format!("{indent}{branch}{}", child.line));
            child.branches(&format!("{indent}{next}"), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn branches_show_what_belongs_where() {
        let tree = Tree::leaf("root").with([
            Tree::leaf("a").with([Tree::leaf("a1")]),
            Tree::leaf("b").with([Tree::leaf("b1"), Tree::leaf("b2")]),
        ]);
        assert_eq!(tree.render(), "root\n├─ a\n│  └─ a1\n└─ b\n   ├─ b1\n   └─ b2\n");
    }
}
