//! The map: the mark of an arrival, and the zoom.

use super::{DESKTOP, bob, register, start};
use crate::driver::Browser;

/// The ring around a new bottle stays around its place while it grows.
#[tokio::test]
async fn an_arrival_is_marked_at_its_place() {
    let (_folder, program) = start();
    let bob = bob(&program);
    let page = Browser::open_animated(program.port, DESKTOP, "").await;
    register(&page, "en", "ada").await;
    page.go("live").await;
    page.reads("1 bottle").await;
    bob.throw(0.0, -30.0);
    page.wait_for("return document.querySelector('.leaflet-marker-icon') && true").await;
    // Leaflet's own position of the marker, and the middle of what grows, in each of 30 frames.
    let distances = page.run_async(
        "const marker = document.querySelector('.leaflet-marker-icon');
         const ring = marker.firstElementChild ?? marker;
         const { _leaflet_pos: pane } = document.querySelector('.leaflet-map-pane');
         const { x, y } = marker._leaflet_pos;
         const distances = [];
         const measure = () => {
             const box = ring.getBoundingClientRect();
             const middle = [box.x + box.width / 2, box.y + box.height / 2];
             distances.push(Math.hypot(middle[0] - x - pane.x, middle[1] - y - pane.y));
             if (distances.length < 30) requestAnimationFrame(measure);
             else done([Math.max(...distances), ring.getAnimations().length]);
         };
         measure();",
    );
    let distances = distances.await;
    assert!(distances[0].as_f64().unwrap() < 5.0 && distances[1] == 1, "{distances}");
    page.close(&[]).await;
}

/// "Show on the map" moves the map but never zooms out.
#[tokio::test]
async fn a_bottle_is_shown_without_zooming_out() {
    let (_folder, program) = start();
    bob(&program);
    let page = Browser::open(program.port, "en", DESKTOP, "#12/23.09/113.36").await;
    register(&page, "en", "ada").await;
    page.follow("#bottle/1").await;
    page.click("Open").await;
    page.reads("A message from Bob.").await;
    page.click("Show on the map").await;
    page.click("Close").await;
    let zoom = page.wait_for("return /^#(\\d+)\\//.exec(location.hash)?.[1] ?? null").await;
    assert_eq!(zoom, "12");
    page.close(&[]).await;
}
