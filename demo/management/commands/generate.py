"""`manage.py generate`: add a made-up world of organizations and plans, for tests and for measuring."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from assignments.models import User
from demo.world import WorldExistsError, WorldOptions, generate_world


class Command(BaseCommand):
    help = "Add made-up organizations with units, people and plans. The same options always give the same rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, what in {
            "seed": "another seed adds another world",
            "organizations": "number of organizations",
            "plans": "number of plans, in total",
            "actions": "number of actions of each plan",
            "max_updates": "largest number of updates of an action",
        }.items():
            default = getattr(WorldOptions, name)
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, type=int, default=default, metavar="N", help=f"{what} (default {default})")
        parser.add_argument(
            "--day", type=date.fromisoformat, default=WorldOptions.day, metavar="YYYY-MM-DD",
            help=f"last day with updates; the plans of its fiscal year are running (default {WorldOptions.day})",
        )  # fmt: skip
        parser.add_argument(
            "--force", action="store_true", help="add the world although the database may have real data"
        )

    def handle(self, *, force: bool, verbosity: int, **options: Any) -> None:
        if not force and (not settings.PMQA_DEMO or User.objects.filter(is_demo=False).exists()):
            raise CommandError(
                "Generated data is for a trial: set PMQA_DEMO=True and use a database without real accounts, or give "
                "--force. / ข้อมูลที่สร้างขึ้นใช้สำหรับการทดลองเท่านั้น โปรดกำหนด PMQA_DEMO=True และใช้ฐานข้อมูลที่ไม่มีบัญชีผู้ใช้จริง "
                "หรือระบุ --force"
            )
        try:
            world = WorldOptions(**{name: options[name] for name in WorldOptions.__dataclass_fields__})
            counts = generate_world(world)
        except ValueError as error:
            raise CommandError(f"{error}. / ตัวเลือกไม่ถูกต้อง") from error
        except WorldExistsError as error:
            raise CommandError(
                f"The world with the seed {options['seed']} is there already; give another --seed. / "
                f"มีข้อมูลจำลองชุดที่ {options['seed']} อยู่แล้ว โปรดระบุ --seed อื่น"
            ) from error
        if verbosity:
            self.stdout.write(f"World {world.seed}, as of {world.day}:")
            for name, count in counts.items():
                self.stdout.write(f"  {count:>9,} {name}")
