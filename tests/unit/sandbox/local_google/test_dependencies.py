"""Dependencies are there until they are taken down."""

from bot.sandbox.local_google.dependencies import Dependencies


def test_everything_answers_in_the_beginning():
    assert Dependencies().answers("postgres")


def test_what_is_taken_down_is_away_until_it_is_brought_up_and_others_stay():
    dependencies = Dependencies()

    dependencies.take_down("postgres")
    during = (dependencies.answers("postgres"), dependencies.answers("redis"))
    dependencies.bring_up("postgres")

    assert during == (False, True)
    assert dependencies.answers("postgres")


def test_all_can_be_brought_up_at_once():
    dependencies = Dependencies()
    dependencies.take_down("postgres")
    dependencies.take_down("redis")

    dependencies.bring_all_up()

    assert dependencies.answers("postgres")
    assert dependencies.answers("redis")
