//! QR codes for the page.

use qrcode::QrCode;
use qrcode::render::svg;

/// Renders an address as a QR code in SVG; `None` if it is too long for one.
pub fn qr_code(address: &str) -> Option<String> {
    let code = QrCode::new(address).ok()?;
    let mut render = code.render::<svg::Color<'_>>();
    Some(render.min_dimensions(240, 240).build())
}
