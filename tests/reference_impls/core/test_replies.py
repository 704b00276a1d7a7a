"""Replies of judges in every usual dress, and replies that must not be read as what they are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.core import read_choice, read_grade, read_ranking, read_verdict

FOURS = [
    " 4", "4", "4.", "4,", "4!", "4\n", "(4)", "[4]", "[[4]]", "`4`", "*4*", "**4**", "4.0", "４", "4/5", "**4**/5",
    "4 / 5", "4 out of 5", "4 stars", "4 points.", "★★★★☆", "⭐⭐⭐⭐", "four", "Four out of five.", "A 4",
    "It's a 4.", "4 (mostly right)", "4 – mostly right", "4 - mostly right", "4: very likely",
    "4. The steps are right.", "4 because the steps are right", "4 on a scale of 1 to 5", "Grade: 4", "Grade 4",
    "Grade - 4", "grade=4", "**Grade: 4**", "**Grade:** 4", "Grade: **4** (very likely)", "# Grade: 4/5",
    "Rating: 4", "Score: 4 out of 5", "Final grade: 4", "The grade is 4.", 'My grade for this response is "4".',
    '{"Score for the Response": 4}', "Grade: 4\nGrade: 4", "Grade 1 to 5: 4", "Grade (1-5): 4",
    "On a scale from 1 (wrong) to 5 (right), I would give it a 4.", "I would give it a 4",
    "I'd give this answer a 4.", "I’d rate this response 4 out of 5.", "The response deserves a 4.",
    "It is rated 4.", "The answer is mostly right.\n\n4", "$\\boxed{4}$",
    "<think>A 3? No, better.</think>\nGrade: 4", "Style score: 2\nOverall score: 4", "Bewertung: 4", "4 Punkte",
    "Note : 4/5", "Puntuación: 4", "Оценка: 4", "评分：4", "4分", "得分: 4/5", "我给这个回答4分。", "評価：4",
    "점수: 4", "Grade:\n\n4", "**Grade:**\n4\n\n**Reason:** it adds up.", "<grade>4</grade>", "Rating: [[4]]",
    '{"grade": 4, "reason": "12 is right"}', "It adds up. [RESULT] 4", "Correctness: 4", "I'd say 4.",
]  # fmt: skip

NO_GRADES = [
    "", " ", "0", "6", "10", "42", "2014", "yes", "Au", "Grade: X", "4 or 5", "4-5", "3 to 4", "4, 5", "4 4", "-4",
    "4.5", "Grade: 4.5", "Grade: 3 or 4", "Grade: 3\nGrade: 5", "Grade: 0", "Grade: 10", "8/10", "5/10",
    "Grade: 4 out of 10", "5 out of 10", "5 on a scale of 1 to 10", "4/50", "3.5/5", "4½", "5 von 10", "1/2", "80%",
    "4%", "5+2=7", "47+85", "= 4", "2 * 2 = 4", "2+2, so 4 pens", "3 + 1", "4 x 5", "4 pens cost 12",
    "Tom buys 4 pens.", "5 minutes", "5分钟", "2 of the 3 steps", "2 of the 3 steps are right", "Option 2",
    "We get 4.", "3/5 of the oranges", "(2/5) * 5000 = 2000", "She rowed 1/5 times more",
    "Each is worth 1 point, so", "The answer is 4.", "The correct answer is 5.", "1 to 5", "from 1 to 5",
    "1. Paris\n2. Lyon", "1. It is very likely that", "<think>Grade: 4",
    "1 = certainly not\n2 = probably not\n3 = it may or may not\n4 = very likely\n5 = certainly",
]  # fmt: skip

YES = [
    " yes", "yes", "Yes.", "Yes!", "YES", "**Yes**", '"Yes"', "- Yes", "Yep", "yes, because 7+5=12",
    "Yes, it is right.", "Yes, the right answer is 42.", "Right.", "right", "Right? Yes.", "Correct", "Correct.",
    "**Correct**", "True", "Absolutely correct.", "Not wrong.", "It's not wrong.", "The answer is correct.",
    "The proposed answer is correct.", "It is right.", "That's right.", "The AI generated answer is Correct.",
    "Verdict: correct", "**Verdict:** Correct", "Verdict: **correct**.", 'The answer is "Verdict: correct"',
    "7+5=12, and 40+80=120.\n\nVerdict: correct", "Is it wrong? Let me see.\nVerdict: correct",
    "<think>No? Wait.</think>Yes", "✓", "✅ Correct", "Ja", "Ja, richtig.", "Die Antwort ist richtig.", "Oui.",
    "La réponse est correcte.", "Sí, es correcto.", "La respuesta es correcta.", "Да.", "Да, верно",
    "Ответ правильный.", "正确", "是的", "对", "回答正确。", "はい", "正しい", "네, 맞습니다.",
    "**Verdict:**\nCorrect", '{"verdict": "correct"}', '{"correct": true}', "<verdict>correct</verdict>",
    "Is the proposed answer correct? Yes.", "I believe the answer is correct.", "The answer appears to be correct.",
    "I do not think the answer is wrong.",
]  # fmt: skip

NO = [
    " no", "no", "No.", "**No**", "Wrong.", "Incorrect", "**Incorrect**", "Incorrect, the sum is 132",
    "Not correct", "not right", "False", "No, it is wrong", "No it is not", "No, that is not right.",
    "No. The correct answer is 5.", "No, the right answer is 5",
    "The answer is incorrect. The correct answer is Paris.", "The answer is not correct.",
    "The answer is not entirely correct.", "It isn't correct.", "That’s not right.",
    "The answer cannot be correct.", "This can't be right.", "Verdict: incorrect", "Verdict: not correct",
    "The verdict is incorrect.", "✗", "❌ wrong", "Nein", "Nein, falsch.", "Die Antwort ist falsch.",
    "Non, c'est faux.", "No, es incorrecto.", "Нет", "Неверно.", "不正确", "不对", "错误", "否", "いいえ",
    "틀렸습니다", "**Verdict:**\n\n**Incorrect**", '{"correct": false}', "Correct: No",
    "Is the proposed answer correct? No.", "I don't think the answer is correct.", "I do not believe it is right.",
]  # fmt: skip

NO_VERDICTS = [
    "", "y", "The dog.", "47+85=132", "Yes or no", "Yes/No", "correct or incorrect", "Correct answer: 42",
    "Correct: 42", "The correct answer is 42", "Partially correct.", "The answer is mostly correct.",
    "Yes, the answer is incorrect.", 'Either "Verdict: correct" or "Verdict: incorrect".',
    "I am not sure whether it is correct.", "non-trivial", "If the answer is right, then good",
    "Right, let me check the sum.", "No mistakes were found", "right triangle", "No, I am not able to judge this.",
    "The sun is indeed a star.", "Certainly! Here is the answer.", "正确还是错误",
    "The answer to this question is no. The sun is not a star.", 'The answer is "Yes" to the question',
    "The answer may be correct.", "It would be correct with 12.", "I cannot say that it is correct.",
    "It is not clear that the answer is right.", "You are right, I will be more careful.",
    "The answer is probably correct.", "I can't be sure the answer is correct.",
]  # fmt: skip


@pytest.mark.parametrize("reply", FOURS)
def test_a_grade_is_read_in_any_dress(reply: str) -> None:
    assert read_grade(reply) == 4


@pytest.mark.parametrize("reply", ["5 (right)", "5/5", "Grade: 5.", "5", "I would rate it a perfect 5."])
def test_the_best_grade_is_read_beside_its_scale(reply: str) -> None:
    assert read_grade(reply) == 5


@pytest.mark.parametrize("reply", NO_GRADES)
def test_what_is_no_grade_is_not_read(reply: str) -> None:
    assert read_grade(reply) is None


@pytest.mark.parametrize(
    ("reply", "verdict"), [(r, True) for r in YES] + [(r, False) for r in NO] + [(r, None) for r in NO_VERDICTS]
)
def test_a_verdict_is_read_in_any_dress_and_nothing_else_is(reply: str, verdict: bool | None) -> None:
    assert read_verdict(reply) is verdict


DRESSES = [
    "{}",
    " {}.",
    "**{}**",
    "Grade: {}",
    "grade = {}",
    "{}/5",
    "I would give it a {}.",
    '{{"grade": {}}}',
    "So:\n{}",
]


@given(st.integers(1, 5), st.sampled_from(DRESSES))
def test_every_grade_reads_alike_in_every_dress(grade: int, dress: str) -> None:
    assert read_grade(dress.format(grade)) == grade


@given(
    st.integers(0, 99),
    st.integers(0, 99),
    st.sampled_from(["{} + {}", "{}+{}={}", "{} - {}", "{} * {} = {}", "{}.{}"]),
)
def test_a_sum_is_never_a_grade(a: int, b: int, form: str) -> None:
    assert read_grade(form.format(a, b, a + b)) is None


@given(st.text() | st.text("12345 .,:/()=\nGrade yesnoRightcorrectnotResponse"))
def test_any_text_is_read_or_not_but_never_out_of_range(reply: str) -> None:
    assert read_grade(reply) in (None, 1, 2, 3, 4, 5)
    assert read_verdict(reply) in (None, True, False)
    assert read_choice(reply, 3) in (None, 0, 1, 2)
    order = read_ranking(reply, 3)
    assert order is None or sorted(order) == [0, 1, 2]


@pytest.mark.parametrize(
    ("reply", "chosen"),
    [
        ("The most consistent response is Response 2", 1),
        ("The most consistent response is 2.", 1),
        ("Response 2 is the most consistent with responses 1 and 3.", 1),
        ("**Response 2**", 1),
        ("Response #3", 2),
        ("2", 1),
        ("(2)", 1),
        ("2.", 1),
        ("Response 4", None),
        ("Response 1 or Response 2", None),
        ("1 and 3", None),
        ("42", None),
        ("The answer is 2+2", None),
        ("Paris", None),
        ("", None),
    ],
)
def test_a_chosen_response_is_read_by_its_number(reply: str, chosen: int | None) -> None:
    assert read_choice(reply, 3) == chosen


@given(st.permutations([0, 1, 2, 3]))
def test_a_ranking_is_read_in_any_usual_form(order: list[int]) -> None:
    numbers = [i + 1 for i in order]
    rows = "\n".join(f"{place}. Response {n}" for place, n in enumerate(numbers, 1))
    remarks = "Response 1 is short. Response 2 is wrong. Response 3 and Response 4 are fine."
    bold = rows.replace("Response", "**Response") + "**"
    texts = [f"FINAL RANKING:\n{rows}", f"{remarks}\n\n**FINAL RANKING:**\n{bold}", rows]
    texts += [
        " > ".join(map(str, numbers)),
        ", ".join(map(str, numbers)),
        f"Final ranking: {' > '.join(map(str, numbers))}",
    ]
    for text in texts:
        assert read_ranking(text, 4) == order, text
    assert read_ranking(f"FINAL RANKING:\n1. Response {numbers[0]}", 4) is None, "three are missing"
