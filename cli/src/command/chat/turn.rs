//! One message and what comes of it.

use monstrum_wire::chat::SendRequest;

use super::event::Event;
use super::render::Renderer;
use crate::cluster::Gateway;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Screen};

/// Sends a message and shows the turn until it ends. `session` becomes the one that the turn is in, as soon as it is known.
pub(super) async fn run(
    gateway: &Gateway,
    request: SendRequest,
    session: &mut String,
    quiet: bool,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let message_id = request.message_id.clone();
    let mut stream = match gateway.chat().send(request).await {
        Ok(response) => response.into_inner(),
        Err(status) => return Err(gateway.refused(status).await.into()),
    };
    let mut view = View::new(screen, quiet);
    loop {
        let event = match stream.message().await {
            Ok(Some(event)) => Event::from_wire(event),
            Ok(None) => break,
            Err(status) => {
                view.finish()?;
                return Err(gateway.cut_off(session, &message_id, Some(&status)).into());
            }
        };
        let Some(event) = event else { continue };
        view.show(&event)?;
        match event {
            Event::Started { session: started, .. } => *session = started,
            Event::Done { .. } => return Ok(Exit::Success),
            Event::Failed { .. } => return Ok(Exit::Found),
            Event::Queued { .. }
            | Event::Text { .. }
            | Event::Call { .. }
            | Event::Decision { .. }
            | Event::Result { .. } => {}
        }
    }
    view.finish()?;
    Err(gateway.cut_off(session, &message_id, None).into())
}

/// Events as they were asked for.
enum View<'a> {
    People(Renderer<'a>),
    Programs(&'a mut Screen),
}

impl<'a> View<'a> {
    fn new(screen: &'a mut Screen, quiet: bool) -> Self {
        if screen.format() == Format::Table {
            Self::People(Renderer::new(screen, quiet))
        } else {
            Self::Programs(screen)
        }
    }

    fn show(&mut self, event: &Event) -> std::io::Result<()> {
        match self {
            Self::People(renderer) => renderer.show(event),
            Self::Programs(screen) => screen.item(event),
        }
    }

    fn finish(&mut self) -> std::io::Result<()> {
        match self {
            Self::People(renderer) => renderer.finish_line(),
            Self::Programs(screen) => screen.flush(),
        }
    }
}
