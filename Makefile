# `make help` lists the targets. Everything runs in .venv, which the first target makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HARNESS := $(BIN)/python -m harness
# What comes with the installation: accuracies of trained networks, stand-ins for their images.
BOX := space=nb201 task=cifar100 inputs=photographs

.DEFAULT_GOAL := help
.PHONY: help demo install test notebooks test-slow torture lint smoke study agreement bench docs site truth-tables report clean \
	analysis swap-nas predictors sensitivity-scores most-convolutions-scores

help: ## List the targets
	@grep -hE '^[a-z0-9_-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

install: $(VENV)/installed ## Make the virtual environment and install the harness

demo: install ## The main job on bundled images: a first result in under two minutes
	$(HARNESS) $(BOX) n=100 seed=0..1 proxies=[params,synflow,nwot,swap,reg_swap] study=demo

test: install lint ## Format, lint, types and tests
	$(BIN)/python -m pytest -n auto

notebooks: install ## Run the notebooks and keep what they show
	$(BIN)/python tests/execute_notebooks.py

test-slow: install ## What takes minutes, after the quick tests
	$(BIN)/python -m pytest -n auto -m slow

torture: install ## Generated mistakes, signals and kills; CAMPAIGN="minutes=60 seed=7" for an hour of others
	$(BIN)/python -m pytest -m "slow or torture" tests/faults tests/test_executors_killed.py
	OMP_NUM_THREADS=1 PYTHONPATH=.:tests:tests/faults $(BIN)/python -m campaign $(CAMPAIGN)

lint: install ## Format check, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

smoke: install ## The command line on a tiny sample, as CI runs it
	$(HARNESS) $(BOX) n=6 seed=0..1 batch_size=16 $(if $(SMOKE_RESULTS),results=$(SMOKE_RESULTS),study=smoke)

agreement: install ## Our scores against the published ones, cell by cell
	$(HARNESS) job=agreement space=nb201 task=cifar10

bench: install ## Speed as ratios, measured in one run (leave the machine alone meanwhile)
	$(BIN)/python -m benchmarks

# A borrowed GPU machine has the tracked files and what make gpu-kit put into .gpu, and no package
# index; the kit's wheels are unpacked beside its own Python. DEVICE=cpu rehearses.
OUT ?= gpu-results
DEVICE ?= cuda
LIMIT ?= 540
STUDY ?= study

.PHONY: gpu gpu-kit
gpu-kit: install ## What a GPU machine lacks, into .gpu: wheels, STUDY's missing shards, their images
	$(BIN)/python -m benchmarks.gpu.kit $(STUDY)

gpu: ## On a GPU machine: checks, benchmark, missing scores, searches in LIMIT seconds, into OUT
	$(PYTHON) -m benchmarks.gpu $(OUT) $(DEVICE) $(LIMIT) $(PARTS)

report: install ## The HTML report of all finished results: results/report/index.html
	$(HARNESS) job=report

truth-tables: install ## Make the bundled tables of ground truth from their raw files (minutes)
	$(HARNESS) job=truth_tables

docs: install ## Make NOTICE and the pages of docs/ that come from the code
	$(HARNESS) job=document

site: install ## Make a site of docs/ with the API reference: site/index.html
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/mkdocs build

# The SWAP paper, from stored results; each target draws into results/paper.
FIGURES := figure4 figure4_all figure5a figure5b figure6 figure7 figure8 figure9 figure10 figure11 \
	figure15 figure16 figure17 figure18 figure19 figure20 figure21 regulariser_rule
TABLES := table1 table2 table3 table4 table5 table6 compare
.PHONY: $(FIGURES) $(TABLES) paper figures tables scores one-cell-scores ablation-scores \
	ablation-labelled-scores table3-scores

paper: ## The SWAP paper's figures and tables from stored results: results/paper
figures: ## Its figures alone
tables: ## Its tables alone
figure4: ## Heat map: proxies and the paper's thirteen columns
figure4_all: ## Heat map: every proxy and column that is stored
regulariser_rule: ## ρ against the width of the regulariser, in every column
figure5a: ## Sizes of the one-cell networks
figure5b: ## SWAP-NAS: sizes of what it selects against mu on CIFAR-10
figure6: ## Curves of the regulariser
figure7: ## Sizes of the one-cell networks with ImageNet's classes
figure8: ## SWAP-NAS: sizes of what it selects against mu for ImageNet
figure9: ## Sizes in NAS-Bench-101
figure10: ## Sizes in NAS-Bench-201
figure11: ## Sizes in NAS-Bench-301
figure15: ## Three metrics at three input sizes against accuracy
figure16: ## SWAP-Score against accuracy, one panel per column
figure17: ## Regularised SWAP-Score against accuracy
figure18: ## The cell of SWAP-NAS-A
figure19: ## The cell of SWAP-NAS-B
figure20: ## The cell of SWAP-NAS-C
figure21: ## The cell of SWAP-NAS for ImageNet
table1: ## SWAP-NAS-A, B and C: sizes and search times
table2: ## SWAP-NAS for ImageNet: size and search time
table3: ## Three metrics at three input sizes
table4: ## mu and sigma on NAS-Bench-101
table5: ## mu and sigma on NAS-Bench-201
table6: ## mu and sigma on NAS-Bench-301
compare: ## Every number that both papers print beside ours: agrees, differs, too few to tell
paper figures tables $(FIGURES) $(TABLES): install
	$(HARNESS) job=paper paper=$(if $(filter paper,$@),all,$@)

# What the figures rest on. Only missing scores are made; a run that was stopped goes on.
COLUMN = $(HARNESS) experiment=figure4
TRANSNAS_COLUMN = $(HARNESS) experiment=figure4_transnas
FIVE_SEEDS := seed=0..4

study: install ## Figure 4: 13 columns, 1000 architectures each, scored, joined and drawn (hours; goes on)
	$(COLUMN) space=nb201 task=cifar10
	$(COLUMN) space=nb201 task=cifar100
	$(COLUMN) space=nb201 task=imagenet16_120 inputs=imagenet_sample_16
	$(COLUMN) space=nb101 task=cifar10
	$(COLUMN) space=nb301 task=cifar10
	for task in class_scene class_object jigsaw autoencoder; do for space in micro macro; do \
		$(TRANSNAS_COLUMN) space=tnb101_$$space task=$$task || exit 1; \
	done; done
	$(COLUMN) space=nb201 task=cifar10 $(FIVE_SEEDS)
	$(COLUMN) space=nb201 task=cifar100 $(FIVE_SEEDS)
	$(COLUMN) space=nb201 task=imagenet16_120 inputs=imagenet_sample_16 $(FIVE_SEEDS)
	$(COLUMN) space=nb101 task=cifar10 $(FIVE_SEEDS)
	$(HARNESS) job=paper paper=[figure4,figure4_all,figure16,figure17] of=figure4
	$(MAKE) report

scores: install ## Every score of the results as one data set: results/scores
	$(HARNESS) job=collect

one-cell-scores: install ## Score the one-cell networks of figures 5 and 15, by the authors' protocol
	$(HARNESS) experiment=swap_authors space=darts_swap task=cifar10

# Appendix B: five groups of 1000 architectures each; a sixth, group 0, only gives the sizes that
# figures 9 to 11 show. Of 16 images a network of NAS-Bench-301 shows nearly all 65,536 patterns that
# there can be, and the regulariser alone decides the order; the paper's section 4.3 speaks of 32.
ABLATION := task=cifar10 proxies=[swap] seed=1..5

ablation-scores: install ## Score tables 4 to 6: swap, five groups; table 5 with 16 images too (2.5 core hours)
	for space in nb201 nb301 nb101; do \
		$(HARNESS) space=$$space $(ABLATION) swap.images=32 study=ablation || exit 1; \
	done
	$(HARNESS) space=nb201 $(ABLATION) swap.images=16 study=ablation_16

ablation-labelled-scores: install ## Score table 4 on NAS-Bench-Suite-Zero's draw, 16 images (15 core minutes)
	$(HARNESS) space=nb101 sample=labelled $(ABLATION) swap.images=16 study=ablation_labelled

TABLE3 := proxies=swap_family inputs.order=first swap.repeats=8 swap.init=gaussian

table3-scores: install ## Score table 3: C=3 and C=1, 16 and 32 images, three sizes (40 minutes)
	for images in 16 32; do for side in 3 15 32; do \
		at="study=table3/images$${images}_side$$side inputs.crop=$$side"; \
		at="$$at batch_size=$$images swap.images=$$images"; \
		$(HARNESS) space=darts_swap $(TABLE3) $$at || exit 1; \
		$(HARNESS) space=darts_swap_c1 inputs.channels=1 $(TABLE3) $$at || exit 1; \
	done; done

SENSITIVITY := space=nb201 task=cifar10 proxies=[swap,reg_swap] n=300

sensitivity-scores: install ## Score SWAP with other images, weights and repeats
	for images in 4 8 16 32 64; do \
		$(HARNESS) $(SENSITIVITY) swap.images=$$images \
			study=sensitivity/images_$$images || exit 1; \
	done
	for images in 4 16 64; do \
		$(HARNESS) $(SENSITIVITY) swap.images=$$images inputs=gaussian \
			study=sensitivity/noise_images_$$images || exit 1; \
	done
	for repeats in 1 8; do \
		$(HARNESS) $(SENSITIVITY) swap.init=gaussian swap.repeats=$$repeats \
			study=sensitivity/gaussian_weights_repeats_$$repeats || exit 1; \
	done

most-convolutions-scores: install ## Score NAS-Bench-201's 64 cells of six convolutions
	$(HARNESS) space=nb201 task=cifar10 n=64 proxies=[default,zico] study=most_convolutions \
		truth=csv truth.path=conf/nb201_six_convolutions.csv

predictors: install ## Fit models to accuracies and stored scores, for make analysis (minutes per column)
	$(HARNESS) job=predictors of=figure4

analysis: install ## Beyond one correlation: what the stored scores say, question by question
	$(HARNESS) job=analysis of=figure4

swap-nas: install ## The searches of SWAP-NAS's tables 1 and 2 and figures 5b and 8 (20 core minutes)
	for network in a b c imagenet; do \
		$(HARNESS) experiment=swap_nas_$$network $(FIVE_SEEDS) || exit 1; \
	done
	$(HARNESS) experiment=swap_nas_figure5b
	$(HARNESS) experiment=swap_nas_figure8

.PHONY: operation-scores iterative-scores zcpt-search zcpt-orders zcpt-proxies zcpt-darts zcpt-tables
operation-scores: install ## Zero-Cost-PT's table 1, figure 2, table A2 (four supernets, about half an hour on 2 cores)
	$(HARNESS) job=operation_scores space=nb201 inputs=cifar10 inputs.augment=true seed=0..3 \
		search.counting=faithful search.images=256

iterative-scores: install ## Zero-Cost-PT's figure A1 without training (four supernets, half an hour of a core)
	$(HARNESS) job=iterative_scores space=nb201 inputs=cifar10 inputs.augment=true seed=0..3 search.counting=faithful

# The published setting, N=10, V=100, 256 images, takes hours per row on a CPU; what is committed took
# ZCPT_SETTING="search.images=64 search.validations=20".
ZCPT := job=zero_cost_pt inputs=cifar10 inputs.augment=true search.counting=faithful
ZCPT_SETTING ?=
ZCPT_NB201 = $(HARNESS) $(ZCPT) space=nb201 seed=0..3 $(ZCPT_SETTING)

zcpt-search: install ## Zero-Cost-PT on NAS-Bench-201, random order, four seeds, faithful and clean
	$(ZCPT_NB201)
	$(ZCPT_NB201) search.counting=clean

zcpt-orders: install ## The searches of Zero-Cost-PT's table 2: the other five edge orders
	for order in fixed global-op-iter global-op-once global-edge-iter global-edge-once; do \
		$(ZCPT_NB201) search.order=$$order || exit 1; \
	done

zcpt-proxies: install ## The searches of Zero-Cost-PT's table 3: the other proxies
	for proxy in synflow snip grad_norm fisher grasp; do \
		$(ZCPT_NB201) search.proxy=$$proxy || exit 1; \
	done

zcpt-darts: install ## Zero-Cost-PT on DARTS and S1 to S4: genotypes, sizes, times (an hour per space and seed)
	for space in darts darts_s1 darts_s2 darts_s3 darts_s4; do \
		$(HARNESS) $(ZCPT) space=$$space || exit 1; \
	done

zcpt-tables: install ## Zero-Cost-PT's tables 2 to 4, figures 3 and A1 from stored searches and scores
	$(HARNESS) job=paper paper=[zcpt_table2,zcpt_table3,zcpt_table4,zcpt_figure3,zcpt_figureA1]

# 600 epochs per training, one training per GPU at a time: docs/training.md says what that costs. What
# is killed goes on. TRAIN_SETTING="executor=slurm executor.minutes=1440" trains elsewhere.
TRAIN_SETTING ?=
TRAIN = $(HARNESS) job=train_selected device=$(DEVICE) $(TRAIN_SETTING)
FINAL_SEARCH = $(HARNESS) job=zero_cost_pt inputs.augment=true search.counting=faithful device=$(DEVICE)

SWAP_NAS := results/swap_nas/darts/cifar10

.PHONY: train-table1 train-table2 train-table5 train-table6
train-table1: install ## SWAP-NAS's table 1: searches, trains and collects test errors (12 trainings)
	for mu in 0.9 1.2 1.5; do \
		$(HARNESS) experiment=swap_nas_a $(FIVE_SEEDS) search.mu=$$mu search.sigma=$$mu || exit 1; \
	done
	$(TRAIN) space=darts task=cifar10 seed=0..3 study=train_table1 search_seeds=0 \
		searches=[$(SWAP_NAS)/swap_nas_mu0.9_sigma0.9,$(SWAP_NAS)/swap_nas_mu1.2_sigma1.2,$(SWAP_NAS)/swap_nas_mu1.5_sigma1.5]

train-table2: install ## SWAP-NAS's table 2: ImageNet, 250 epochs (1 training); its images by hand
	$(HARNESS) experiment=swap_nas_imagenet $(FIVE_SEEDS)
	$(TRAIN) experiment=train_imagenet space=darts study=train_table2 search_seeds=0 \
		searches=[results/swap_nas/darts/imagenet/swap_nas_mu25_sigma25]

train-table5: install ## Zero-Cost-PT's table 5: four search seeds, four training seeds (32 trainings)
	for order in random global-op-iter; do \
		$(FINAL_SEARCH) space=darts task=cifar10 seed=0..3 search.order=$$order study=table5 || exit 1; \
	done
	$(TRAIN) space=darts task=cifar10 seed=0..3 study=train_table5 \
		searches=[results/table5/darts/cifar10/nwot-faithful-random,results/table5/darts/cifar10/nwot-faithful-global-op-iter]

train-table6: install ## Zero-Cost-PT's table 6: S1 to S4 on three data sets, seeds 0 and 2 (48 trainings)
	for space in darts_s1 darts_s2 darts_s3 darts_s4; do for task in cifar10 cifar100 svhn; do \
		$(FINAL_SEARCH) space=$$space task=$$task seed=[0,2] study=table6 || exit 1; \
		recipe=; [ $$task = cifar10 ] || recipe=experiment=train_mobile; \
		$(TRAIN) space=$$space task=$$task seed=[0,2] study=train_table6 $$recipe \
			searches=[results/table6/$$space/$$task/nwot-faithful-random] || exit 1; \
	done; done

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
