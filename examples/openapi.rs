//! Writes the OpenAPI document that the program carries:
//! `cargo run --example openapi > static/api/openapi.json`.

fn main() -> Result<(), serde_json::Error> {
    println!("{}", bottle::server::openapi::document().to_json()?);
    Ok(())
}
