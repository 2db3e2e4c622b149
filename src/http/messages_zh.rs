//! Chinese messages for wrong fields, for the contracts whose messages are Chinese.

use crate::model::error::Problem;

/// Returns the message for `problem` of the field called `field`.
pub(crate) fn problem_message(field: &str, problem: &Problem) -> String {
    match problem {
        Problem::Missing => format!("缺少字段{field}"),
        Problem::WrongType => format!("字段{field}的类型不正确"),
        Problem::TooShort(1) => format!("字段{field}不能为空"),
        Problem::TooShort(least) => format!("字段{field}至少需要{least}个字符"),
        Problem::TooLong(most) => format!("字段{field}最多{most}个字符"),
        Problem::OutOfRange(least, most) if *most == f64::MAX => {
            format!("字段{field}必须是不小于{least}的数")
        }
        Problem::OutOfRange(least, most) => format!("字段{field}必须是{least}到{most}之间的数"),
        Problem::ControlCharacter => format!("字段{field}不能包含控制字符"),
        Problem::InvisibleCharacter => format!("字段{field}不能包含不可见字符或格式字符"),
        Problem::SurroundingSpace => format!("字段{field}的首尾不能有空白"),
        Problem::NotAnEmail => format!("字段{field}不是有效的邮箱地址"),
        Problem::NotOneOf(words) => format!("字段{field}只能是以下之一：{words}"),
        Problem::NotATime => format!("字段{field}必须是时间，例如2026-09-01T08:00:00Z"),
        Problem::NoColumn(column) => format!("字段{field}的第一行没有名为{column}的列"),
        Problem::WrongColumns => format!("字段{field}这一行的列数与第一行不同"),
        Problem::TooManyLines(most) => format!("字段{field}最多{most}行"),
    }
}
