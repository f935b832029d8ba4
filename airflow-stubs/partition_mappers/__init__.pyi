# Made by .ci/make_stubs.py from the tables in airflow/names*.py. Do not edit.
from tradewind.sdk.partitions import AllowedKeyMapper as AllowedKeyMapper
from tradewind.sdk.partitions import ChainMapper as ChainMapper
from tradewind.sdk.partitions import FanOutMapper as FanOutMapper
from tradewind.sdk.partitions import FixedKeyMapper as FixedKeyMapper
from tradewind.sdk.partitions import IdentityMapper as IdentityMapper
from tradewind.sdk.partitions import PartitionMapper as PartitionMapper
from tradewind.sdk.partitions import ProductMapper as ProductMapper
from tradewind.sdk.partitions import RollupMapper as RollupMapper
from tradewind.sdk.partitions import StartOfDayMapper as StartOfDayMapper
from tradewind.sdk.partitions import StartOfHourMapper as StartOfHourMapper
from tradewind.sdk.partitions import StartOfMonthMapper as StartOfMonthMapper
from tradewind.sdk.partitions import StartOfQuarterMapper as StartOfQuarterMapper
from tradewind.sdk.partitions import StartOfWeekMapper as StartOfWeekMapper
from tradewind.sdk.partitions import StartOfYearMapper as StartOfYearMapper
