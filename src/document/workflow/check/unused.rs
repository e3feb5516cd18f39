//! Inputs that nobody reads: asked for in vain, and mostly a slip of the keyboard.

use crate::document::workflow::model::Workflow;
use crate::ground::diagnostic::Diagnostic;
use crate::ground::read::Reading;

impl Workflow {
    /// Warns of inputs that nothing reads.
    pub(super) fn check_unused(&self, reading: &Reading) {
        let read = self.names_read();
        for input in self.inputs.iter().filter(|input| !read.has(&input.name.value)) {
            let message = format!("the input `{}` is never used", input.name.value);
            let warning = Diagnostic::warning(message).at(&reading.source, input.name.span);
            reading
                .report(warning.help(format!("leave it out, or use it: `{{{{ {} }}}}`", input.name.value)));
        }
    }
}
