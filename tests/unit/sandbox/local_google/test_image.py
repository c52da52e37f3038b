"""What an image does by its reference."""

from bot.sandbox.local_google.image import Image, image_for


def test_an_unknown_image_behaves_well():
    assert image_for("repo/app:1", {}) == Image()


def test_a_reference_with_missing_in_it_is_not_in_the_registry():
    assert not image_for("repo/missing-app:1", {}).pullable


def test_a_registered_behaviour_wins():
    deaf = Image(port=None)

    assert image_for("repo/missing-app:1", {"repo/missing-app:1": deaf}) is deaf


def test_an_image_binds_what_it_is_asked_unless_it_insists():
    assert Image().binds(8080) == 8080
    assert Image(port=8081).binds(8080) == 8081
    assert Image(port=None).binds(8080) is None
