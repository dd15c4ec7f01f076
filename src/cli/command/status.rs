//! How things stand.

use std::time::Duration;

use clap::Args;

use crate::cli::DONE;
use crate::cli::context::Context;
use crate::domain::fault::Result;
use crate::ops::status;
use crate::store::wake::Wake;
use crate::ui::Reader;
use crate::view::status::StatusView;

/// How often the screen is made anew, if nothing is known to have happened before.
const INTERVAL: Duration = Duration::from_secs(2);

/// `status`
#[derive(Args)]
pub(in crate::cli) struct Status {
    /// Show it anew whenever something changes, until ctrl-c
    #[arg(long, short = 'w')]
    watch: bool,
}

impl Status {
    /// Whether it is shown until somebody ends it.
    pub(super) fn is_watching(&self) -> bool {
        self.watch
    }

    pub(super) fn run(self, context: &mut Context) -> Result<u8> {
        let queue = context.queue()?;
        if !self.watch {
            context.ui.show(&StatusView::new(&status::look(queue, context.env.now())?))?;
            return Ok(DONE);
        }
        let mut screen = context.ui.screen();
        let mut wake = Wake::new();
        loop {
            let status = status::look(queue, context.env.now())?;
            if screen.show(&StatusView::new(&status))? == Reader::Gone {
                return Ok(DONE);
            }
            wake.over(&status.logs());
            wake.wait(INTERVAL);
        }
    }
}
