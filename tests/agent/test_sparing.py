"""What an endpoint that is down is spared: after some failures in a row it is left alone, then asked once to see."""

from chat.agent.asking import ATTEMPTS
from chat.agent.events import Ended, ModelStarted
from chat.wire.breaker import Breaker
from chat.wire.endpoint import Endpoint, Target
from tests.agent.working import ended, events, of, refusal, task
from tests.clocks import Clock
from tests.faults.faulty import WELL, Faulty, answers, running
from tests.scripted import endpoint as scripted
from tests.scripted import says


async def test_after_five_failed_requests_an_endpoint_is_left_alone_and_that_is_said() -> None:
    served, script = scripted(*[refusal("on fire", 500)] * 5)
    failed = [await events(task(Target(served, "m"))) for _ in range(2)]
    assert sum(len(of(ModelStarted, found)) for found in failed) == 5
    assert "left alone for 30 seconds more" in ended(failed[1]).error
    found = await events(task(Target(served, "m")))
    assert [type(one) for one in found] == [Ended]
    assert (ended(found).status, ended(found).stop_reason) == ("failed", "error")
    assert "failed again and again" in ended(found).error
    script.done()


async def test_an_endpoint_that_is_down_sees_five_requests_then_one_at_a_time_until_it_is_well(clock: Clock) -> None:
    """Over a real socket; only the clock of the breaker is the test's."""
    down = Faulty(answers(503))
    with running(down) as beside:
        served = Endpoint(down.url, "sk-test-of-a-breaker")
        served.breaker = Breaker(clock=clock)

        async def seen() -> tuple[str, int]:
            """How a run ended, and how many requests the endpoint had seen by then."""
            end = ended(await events(task(Target(served, "m"))))
            return end.error or end.text, len(down.asked)

        assert [(await seen())[1] for _ in range(3)] == [ATTEMPTS, 5, 5]
        assert await seen() == (f"{down.address} failed again and again, so it is left alone for 30 seconds more.", 5)
        clock.now += 30
        assert [await seen() for _ in range(2)] == [
            (f"{down.address} failed again and again, so it is left alone for 30 seconds more.", 6)
        ] * 2
        clock.now += 30
        beside.do(down.recover())
        assert [await seen() for _ in range(3)] == [(WELL, 7), (WELL, 8), (WELL, 9)]
        await served.close()


async def test_an_endpoint_that_is_left_alone_goes_to_the_fallback_without_a_request() -> None:
    main, _ = scripted(*[refusal("on fire", 500)] * 3)
    await events(task(Target(main, "strong")))
    main.breaker.failed()
    main.breaker.failed()
    other, _ = scripted(says("Here I am."))
    found = await events(task(Target(main, "strong"), Target(other, "spare")))
    assert [one.model for one in of(ModelStarted, found)] == ["spare"]


async def test_what_the_endpoint_refuses_does_not_count_as_its_failure() -> None:
    served, _ = scripted(*[refusal("no", 400)] * 6, says("Hello"))
    for _ in range(6):
        await events(task(Target(served, "m")))
    assert ended(await events(task(Target(served, "m")))).text == "Hello"
