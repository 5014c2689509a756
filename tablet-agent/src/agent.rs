//! Stub.
/// Runs.
pub async fn run(_args: &crate::cli::TabletArgs) -> anyhow::Result<()> {
    let link = crate::link::Link::inherit()?;
    loop {
        let e = link.next().await?;
        tracing::info!(?e, "event");
        if matches!(e, crate::supervisor::wire::Event::Hello(_)) {
            link.order(crate::supervisor::wire::Order::Start).await?;
        }
        if matches!(e, crate::supervisor::wire::Event::Stop) {
            link.order(crate::supervisor::wire::Order::Finished).await?;
        }
    }
}
