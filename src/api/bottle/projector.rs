//! The route of the projector.

use rocket::{State, get};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Envelope, Reply, ok};
use super::guard::Teacher;
use crate::domain::moderation::{FirstWords, Moderation};

#[derive(Serialize, ToSchema)]
struct FirstWordsView {
    bottle_id: i64,
    words: String,
    nickname: String,
}

impl From<FirstWords> for FirstWordsView {
    fn from(FirstWords { bottle, words, nickname }: FirstWords) -> Self {
        Self { bottle_id: bottle, words, nickname }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct NewestView {
    bottles: Vec<FirstWordsView>,
}

/// List the first words of the latest bottles, if a teacher has turned that on
///
/// They are at most 8 bottles that were thrown since then. Hidden and reported bottles, those that have
/// ended and those that open near their place only are left out.
#[utoipa::path(get, path = "/teacher/newest",
    security(("bottle_session" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "the words, the latest first", body = Envelope<NewestView>),
        (status = 403, description = "the account is not a teacher's"),
    )
)]
#[get("/teacher/newest")]
pub(super) async fn newest(_teacher: Teacher, moderation: &State<Moderation>) -> Reply<NewestView> {
    let words = moderation.first_words().await?;
    ok("查询成功", NewestView { bottles: words.into_iter().map(FirstWordsView::from).collect() })
}
